import type { Server, ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { HealthImplementation, service } from 'grpc-health-check';
import { serviceNameOf } from '../protocol/flyte/raw-service.ts';

/** The health service itself. */
export const HEALTH_SERVICE: string = serviceNameOf(service);

type Watch = (call: ServerWritableStream<unknown, unknown>) => void;

/** grpc.health.v1 for the server as a whole (the empty name) and for each of its services; NOT_SERVING at first. */
export class GrpcHealth {
  readonly #health = new HealthImplementation();
  readonly #names: readonly string[];
  readonly #watches = new Set<ServerWritableStream<unknown, unknown>>();

  constructor(services: readonly string[]) {
    this.#names = ['', ...services];
    this.drain();
  }

  /** These are SERVING from now on. */
  serve(names: readonly string[]): void {
    for (const name of names) this.#health.setStatus(name, 'SERVING');
  }

  /** All are NOT_SERVING from now on; whoever watches is told. */
  drain(): void {
    for (const name of this.#names) this.#health.setStatus(name, 'NOT_SERVING');
  }

  addTo(server: Server): void {
    this.#health.addToServer({
      addService: (definition: typeof service, implementation: UntypedServiceImplementation) => {
        const watch = implementation.watch as Watch;
        const tracked: Watch = (call) => {
          this.#watches.add(call);
          call.on('cancelled', () => this.#watches.delete(call));
          watch(call);
        };
        server.addService(definition, { ...implementation, watch: tracked });
      },
    });
  }

  /** Ends the watches after their last status: they never end by themselves and would hold up a shutdown. */
  end(): void {
    for (const call of this.#watches) call.end();
    this.#watches.clear();
  }
}
