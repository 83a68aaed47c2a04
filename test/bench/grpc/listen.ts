import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { METHODS, type Method } from './wire.ts';

/** Serves these methods with bare grpc-js on a free port, says where, and ends when told to. */
export function listen(implementation: UntypedServiceImplementation): void {
  const server = new Server();
  const names = Object.keys(implementation) as Method[];
  server.addService(Object.fromEntries(names.map((name) => [name, METHODS[name]])), implementation);
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) throw error;
    process.stdout.write(`listening at 127.0.0.1:${port}\n`);
  });
  process.on('SIGTERM', () => process.exit(0));
}
