/** The limits of everything that goes out. Times in milliseconds, sizes in bytes. */
export interface EgressLimits {
  /** For a whole `fetch`, redirects and body included; for a `stream`, until its headers are there. */
  readonly timeoutMs: number;
  /** Longest silence within a stream. */
  readonly idleTimeoutMs: number;
  /** Largest body of a `fetch`, and largest gRPC message. */
  readonly maxBytes: number;
  /** Largest total of a stream: what arrives is kept, and one that never ends would fill the memory. */
  readonly maxStreamBytes: number;
  /** Largest response header block. */
  readonly maxHeaderBytes: number;
  /** Redirects that one call follows. */
  readonly maxRedirects: number;
  /** How long a checked DNS answer is used. */
  readonly dnsTtlMs: number;
  /** DNS answers that are kept. */
  readonly maxNames: number;
  /** Origins with connections of their own, HTTP and gRPC each; the least recently used one goes. */
  readonly maxPools: number;
  /** Connections to one origin; further calls wait, and their time runs. */
  readonly connectionsPerOrigin: number;
  /** For one attempt to open a connection. */
  readonly connectTimeoutMs: number;
  /** How long an unused connection stays open, unless the server says less. */
  readonly keepAliveMs: number;
  /** How long an unused gRPC connection stays open. */
  readonly grpcIdleMs: number;
}

export const DEFAULT_LIMITS: EgressLimits = {
  timeoutMs: 30_000,
  idleTimeoutMs: 120_000,
  maxBytes: 16 * 1024 * 1024,
  maxStreamBytes: 256 * 1024 * 1024,
  maxHeaderBytes: 32 * 1024,
  maxRedirects: 5,
  dnsTtlMs: 5_000,
  maxNames: 2_048,
  maxPools: 256,
  connectionsPerOrigin: 1_024,
  connectTimeoutMs: 10_000,
  keepAliveMs: 4_000,
  grpcIdleMs: 60_000,
};
