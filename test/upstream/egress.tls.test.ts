import { createServer } from 'node:https';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from './egress-certificate.ts';
import { egressWith, failure, httpServer, listenOn, names, track } from './egress-support.ts';

const trusted = selfSigned(['agent.test']);
const stranger = selfSigned(['agent.test']);
const before = getCACertificates('default');
beforeAll(() => setDefaultCACertificates([...before, trusted.cert]));
afterAll(() => setDefaultCACertificates(before));

/** An HTTPS server on loopback that remembers the SNI of each handshake. */
async function httpsServer({ key, cert }: { key: string; cert: string }) {
  const sni: string[] = [];
  const server = createServer({ key, cert }, (request, response) => {
    response.end(`${request.headers.host} over ${(request.socket as TLSSocket).alpnProtocol || 'no ALPN'}`);
  });
  server.on(
    'secureConnection',
    (socket: TLSSocket) => void sni.push(String((socket as TLSSocket & { servername?: string }).servername)),
  );
  server.on('tlsClientError', () => {});
  const tracked = track(server);
  return { port: await listenOn(server), sni, ...tracked };
}

const egressTo = (hosts: Record<string, readonly string[]>) =>
  egressWith({ allow: ['127.0.0.1'], resolve: names(hosts) });

describe('TLS to a pinned address', () => {
  it('keeps the host name for SNI, for the certificate and for the Host header', async () => {
    const server = await httpsServer(trusted);
    const response = await egressTo({ 'agent.test': ['127.0.0.1'] }).fetch(`https://agent.test:${server.port}/`);
    expect(response.text()).toBe(`agent.test:${server.port} over http/1.1`);
    expect(server.sni).toEqual(['agent.test']);
  });

  it('refuses a certificate for another name', async () => {
    const server = await httpsServer(trusted);
    const call = egressTo({ 'other.test': ['127.0.0.1'] }).fetch(`https://other.test:${server.port}/?token=t0p`);
    const error = await failure(
      call,
      'UPSTREAM_UNREACHABLE',
      /^https:\/\/other\.test:\d+ cannot be reached: TLS failed \(ERR_TLS_CERT_ALTNAME_INVALID\)\.$/,
    );
    expect(error.message).not.toContain('t0p');
  });

  it('refuses a certificate that nobody vouches for, and an address that it does not name', async () => {
    const server = await httpsServer(stranger);
    const tls = /TLS failed \(DEPTH_ZERO_SELF_SIGNED_CERT\)/;
    await failure(
      egressTo({ 'agent.test': ['127.0.0.1'] }).fetch(`https://agent.test:${server.port}/`),
      'UPSTREAM_UNREACHABLE',
      tls,
    );
    const byName = await httpsServer(trusted);
    await failure(egressTo({}).fetch(`https://127.0.0.1:${byName.port}/`), 'UPSTREAM_UNREACHABLE', /TLS failed/);
  });

  it('says TLS when the other side speaks none, and does not follow a redirect down to http', async () => {
    const plain = await httpServer();
    await failure(
      egressTo({ 'agent.test': ['127.0.0.1'] }).fetch(`https://agent.test:${plain.port}/`),
      'UPSTREAM_UNREACHABLE',
      /TLS failed/,
    );
    const sink = await httpServer();
    const server = createServer(
      trusted,
      (_request, response) => void response.writeHead(302, { location: sink.url }).end(),
    );
    track(server);
    const port = await listenOn(server);
    await failure(
      egressTo({ 'agent.test': ['127.0.0.1'] }).fetch(`https://agent.test:${port}/`),
      'UPSTREAM_INVALID',
      /from https to plain http/,
    );
    expect(sink.connections()).toBe(0);
  });
});
