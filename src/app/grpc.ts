import type { EndedCall } from '../grpc/observed.ts';
import type { Metrics } from '../http/metrics.ts';

/** Puts the calls of a gRPC port into the metrics. */
export const grpcMeter =
  ({ grpc }: Metrics): ((call: EndedCall) => void) =>
  ({ service, method, code, seconds }) =>
    grpc.observe({ service, method, code }, seconds);
