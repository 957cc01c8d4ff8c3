// Prints how many messages per second come back from an echo: `node messages.js PORT CONNECTIONS SECONDS`.
import { WebSocket } from 'ws';

const [port, connections, seconds] = process.argv.slice(2).map(Number);
let count = 0;
const sockets = await Promise.all(
  Array.from({ length: connections }, async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
      perMessageDeflate: false,
      headers: { Host: 'bench.test' },
    });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.on('message', () => {
      count += 1;
      socket.send('0123456789abcdef');
    });
    return socket;
  }),
);
for (const socket of sockets) socket.send('0123456789abcdef');
await new Promise((resolve) => setTimeout(resolve, 500));
count = 0;
await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
process.stdout.write(String(count / seconds));
process.exit(0);
