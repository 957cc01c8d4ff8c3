import { file } from './file.ts';

/** Where the echo of the WebSocket benchmark listens. */
export const ECHO_PORT = 18_790;

/**
 * The configuration of an nginx that answers at once with a few bytes or 1 MiB, accepts bodies, and forwards to a
 * WebSocket echo.
 */
export function upstreamConfiguration(port: number | string, directory: string): string {
  file(directory, 'big', 'x'.repeat(1024 * 1024));
  // As the user that created the folder; otherwise it could not read the file.
  const user = process.getuid?.() === 0 ? 'user root; ' : '';
  return `${user}worker_processes 1; daemon off; pid ${directory}/upstream-${port}.pid; error_log /dev/null;
events { worker_connections 8192; multi_accept on; } # or new connections wait until the others have been served
http { access_log off; keepalive_requests 100000000; keepalive_timeout 600s; client_max_body_size 0;
  client_body_buffer_size 1m; client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/temp;
  fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  server { listen 127.0.0.1:${port} backlog=4096;
    location / { default_type text/plain; return 200 "hello world\\n"; }
    location = /big { root ${directory}; }
    location = /ws { proxy_pass http://127.0.0.1:${ECHO_PORT}; proxy_http_version 1.1; proxy_read_timeout 600s;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; } } }
`;
}
