import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type ErrorCode, RollcallError } from '../../errors.ts';
import { readStatus } from '../../protocol/a2a/protobuf.ts';
import { A2A_DOMAIN, fromRpcStatus } from '../../protocol/a2a/upstream-errors.ts';
import { credentialsRefused } from './failures.ts';

const isServiceError = (thrown: unknown): thrown is ServiceError =>
  thrown instanceof Error && 'details' in thrown && typeof (thrown as { code?: unknown }).code === 'number';

const REFUSALS: readonly number[] = [status.UNAUTHENTICATED, status.PERMISSION_DENIED];

/** Whether the agent does not know who is calling: then a new token may help. */
export const isRefusal = (thrown: unknown): boolean => isServiceError(thrown) && thrown.code === status.UNAUTHENTICATED;

interface Row {
  readonly codes: readonly number[];
  readonly says: RegExp;
  readonly code: ErrorCode;
  readonly what: string;
}

/** What grpc itself says about connections, streams and sizes: the agent said nothing then. The first row that fits wins. */
const TRANSPORT: readonly Row[] = [
  {
    codes: [status.UNAVAILABLE],
    says: /No connection established.*(?:certificate|altnames|\bSSL\b|\bTLS\b|ERR_SSL|EPROTO|wrong version number)/is,
    code: 'UPSTREAM_UNREACHABLE',
    what: 'cannot be reached: TLS failed. An agent without TLS is declared as grpc://host:port',
  },
  {
    codes: [status.UNAVAILABLE],
    says: /No connection established.*ECONNREFUSED/s,
    code: 'UPSTREAM_UNREACHABLE',
    what: 'refused the connection',
  },
  {
    codes: [status.UNAVAILABLE],
    says: /No connection established|Failed to connect|before call started/s,
    code: 'UPSTREAM_UNREACHABLE',
    what: 'cannot be reached, or does not speak gRPC there. An agent with TLS is declared as grpcs://host:port',
  },
  {
    codes: [status.UNAVAILABLE, status.INTERNAL, status.UNKNOWN],
    says: /RST_STREAM|Connection dropped|ECONNRESET|ETIMEDOUT|EPIPE|Stream removed|without gRPC status|Keepalive/i,
    code: 'UPSTREAM_UNREACHABLE',
    what: 'broke off the call before its answer was complete',
  },
  {
    codes: [status.CANCELLED],
    says: /^/,
    code: 'UPSTREAM_UNREACHABLE',
    what: 'broke off the call before its answer was complete',
  },
  {
    codes: [status.RESOURCE_EXHAUSTED],
    says: /larger than|too large|exceed.*size/i,
    code: 'PAYLOAD_TOO_LARGE',
    what: 'was to take or gave a larger message than is accepted',
  },
  {
    codes: [status.UNIMPLEMENTED, status.UNKNOWN, status.INTERNAL],
    says: /HTTP status code/i,
    code: 'UPSTREAM_INVALID',
    what: 'speaks HTTP/2 but no gRPC',
  },
];

/** The typed details that came with a status, as ProtoJSON Any values; none where there are none that can be read. */
function detailsOf(metadata: Metadata | undefined): readonly unknown[] {
  const [packed] = metadata?.get('grpc-status-details-bin') ?? [];
  if (!Buffer.isBuffer(packed)) return [];
  try {
    return readStatus(packed).details;
  } catch {
    return [];
  }
}

const fromA2a = (detail: unknown): boolean => (detail as { domain?: unknown } | null)?.domain === A2A_DOMAIN;

/**
 * Anything a gRPC call died of, as a RollcallError that says which server and how. Errors of ours and the caller's own
 * abort reason pass unchanged.
 */
export function describeGrpcFailure(thrown: unknown, authority: string, signal: AbortSignal): unknown {
  if (thrown instanceof RollcallError || (signal.aborted && thrown === signal.reason)) return thrown;
  if (!isServiceError(thrown)) {
    return new RollcallError('UPSTREAM_UNREACHABLE', `${authority} cannot be reached.`, { cause: thrown });
  }
  const { code, details: message } = thrown;
  const details = detailsOf(thrown.metadata);
  if (!details.some(fromA2a)) {
    const name = status[code] ?? String(code);
    if (REFUSALS.includes(code)) return credentialsRefused(authority, `gRPC ${name}`);
    const row = TRANSPORT.find(({ codes, says }) => codes.includes(code) && says.test(message));
    if (row !== undefined) {
      return new RollcallError(row.code, `${authority} ${row.what} (gRPC ${name}).`, { cause: thrown });
    }
  }
  return fromRpcStatus({ code, message, details });
}
