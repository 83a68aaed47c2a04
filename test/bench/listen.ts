import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Serves on a free port, says where, and ends when told to. */
export function listen(listener: RequestListener): void {
  const server = createServer(listener);
  server.listen({ port: 0, host: '127.0.0.1', backlog: 2_048 }, () => {
    process.stdout.write(`listening at http://127.0.0.1:${(server.address() as AddressInfo).port}/\n`);
  });
  process.on('SIGTERM', () => process.exit(0));
}
