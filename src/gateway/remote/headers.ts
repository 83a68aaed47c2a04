import type { GatewayContext } from '../engine.ts';
import type { RemoteOptions } from './options.ts';

/** The headers of a subgraph request besides the transport's own: the configured ones, and the caller's that are allowed. */
export function forwardedHeaders(options: RemoteOptions, context: GatewayContext): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of options.forwardHeaders ?? []) {
    const value = context.headers[name.toLowerCase()];
    if (typeof value === 'string') headers[name.toLowerCase()] = value;
    else if (value !== undefined) headers[name.toLowerCase()] = value.join(', ');
  }
  // Last, so that no caller overrides what the operator configured.
  return { ...headers, ...options.headers };
}
