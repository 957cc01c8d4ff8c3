// A WebSocket that echoes what it gets: `node echo.js PORT`.
import { WebSocketServer } from 'ws';

const [, , port] = process.argv;
new WebSocketServer({ port: Number(port), host: '127.0.0.1', perMessageDeflate: false }).on(
  'connection',
  (socket) => {
    socket.on('error', () => {}).on('message', (data, binary) => socket.send(data, { binary }));
  },
);
