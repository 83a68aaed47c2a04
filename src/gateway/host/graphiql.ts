import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';

interface Page {
  readonly html: Buffer;
  readonly zipped: Buffer;
  readonly policy: string;
  readonly etag: string;
}

const zip = promisify(gzip);

/** GraphiQL from a package, whole in one page: it loads nothing from elsewhere. Built when first opened, as it is large. */
async function build(endpoint: string): Promise<Page> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const text = renderGraphiQL({ title: 'Rollcall', endpoint, subscriptionsProtocol: 'WS' }).trim();
  const script = /<script>([\s\S]*)<\/script>/.exec(text)?.[1] ?? '';
  const hash = (content: string): string => createHash('sha256').update(content).digest('base64');
  const html = Buffer.from(text);
  return {
    html,
    zipped: await zip(html),
    etag: `"${hash(text)}"`,
    // The page's own script and nothing else runs; its editors work in workers made from blobs.
    policy: [
      `default-src 'none'`,
      `script-src 'sha256-${hash(script)}' blob:`,
      `worker-src blob:`,
      `style-src 'unsafe-inline'`,
      `img-src data:`,
      `font-src data:`,
      `connect-src 'self' ws: wss:`,
      `base-uri 'none'`,
      `form-action 'none'`,
      `frame-ancestors 'none'`,
    ].join('; '),
  };
}

/** A route handler that serves GraphiQL for a GraphQL endpoint. */
export function graphiqlPage(
  endpoint: string,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  let page: Promise<Page> | undefined;
  return async (request, reply) => {
    page ??= build(endpoint);
    const { html, zipped, policy, etag } = await page;
    reply
      .header('content-security-policy', policy)
      .header('etag', etag)
      .header('vary', 'Accept, Accept-Encoding')
      .header('cache-control', 'no-cache');
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    reply.header('content-type', 'text/html; charset=utf-8');
    if (!/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return reply.send(html);
    return reply.header('content-encoding', 'gzip').send(zipped);
  };
}
