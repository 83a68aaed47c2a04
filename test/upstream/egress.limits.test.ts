import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { endsBefore } from '../support/ends-before.ts';
import { egressWith, failure, httpServer, names, rawServer } from './egress-support.ts';

const MIB = 1024 * 1024;

describe('time', () => {
  it('ends a call that gets no headers, on time', async () => {
    const server = await httpServer(() => {});
    const call = failure(
      egressWith().fetch(`${server.url}/?token=t0p`, { timeoutMs: 150 }),
      'UPSTREAM_TIMEOUT',
      /^http:\/\/127\.0\.0\.1:\d+ did not answer within 150 ms\.$/,
    );
    const begun = performance.now();
    expect(await endsBefore(700, call)).toBe(true);
    expect(performance.now() - begun).toBeGreaterThan(140);
  });

  it('ends one whose headers drip', async () => {
    const server = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const drip = setInterval(() => socket.write('x-a: b\r\n'), 10);
      socket.once('close', () => clearInterval(drip));
    });
    await failure(egressWith().fetch(server.url, { timeoutMs: 150 }), 'UPSTREAM_TIMEOUT');
  });

  it('ends one that is fed interim answers for ever', async () => {
    const server = await rawServer((socket) => {
      const drip = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 10);
      socket.once('close', () => clearInterval(drip));
    });
    await failure(egressWith().fetch(server.url, { timeoutMs: 150 }), 'UPSTREAM_TIMEOUT');
  });

  it('ends one whose body drips, and closes its connection', async () => {
    let closed!: () => void;
    const connectionClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const server = await httpServer((_request, response) => {
      const drip = setInterval(() => response.write('.'), 10);
      response.once('close', () => {
        clearInterval(drip);
        closed();
      });
    });
    await failure(egressWith().fetch(server.url, { timeoutMs: 150 }), 'UPSTREAM_TIMEOUT');
    await connectionClosed;
  });

  it('counts the redirects and the name lookup in', async () => {
    const server = await httpServer((_request, response) => {
      setTimeout(() => response.writeHead(302, { location: '/again' }).end(), 60);
    });
    await failure(egressWith().fetch(server.url, { timeoutMs: 150 }), 'UPSTREAM_TIMEOUT');
    const stuck = egressWith({ resolve: () => new Promise(() => {}), limits: { timeoutMs: 100 } });
    await failure(stuck.fetch('http://slow.test/'), 'UPSTREAM_TIMEOUT');
    await failure(
      stuck.check('http://slow.test/'),
      'UPSTREAM_TIMEOUT',
      /slow\.test could not be resolved within 100 ms/,
    );
  });

  it('ends one that waits for a free connection', async () => {
    const server = await httpServer(() => {});
    const egress = egressWith({ limits: { connectionsPerOrigin: 1 } });
    const first = failure(egress.fetch(server.url, { timeoutMs: 400 }), 'UPSTREAM_TIMEOUT');
    expect(await endsBefore(350, failure(egress.fetch(server.url, { timeoutMs: 100 }), 'UPSTREAM_TIMEOUT'))).toBe(true);
    await first;
    expect(server.requests).toHaveLength(1);
  });

  it('stops when its caller does, with the caller’s reason', async () => {
    const caller = new AbortController();
    const server = await httpServer(() => caller.abort(new Error('changed my mind')));
    await expect(egressWith().fetch(server.url, { signal: caller.signal })).rejects.toThrow('changed my mind');
    await expect(egressWith().fetch(server.url, { signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow(
      'too late',
    );
    expect(server.requests).toHaveLength(1);
  });

  it('stops reading a body when its caller does', async () => {
    const caller = new AbortController();
    const server = await httpServer((_request, response) => {
      response.write('half', () => caller.abort(new Error('enough')));
    });
    await expect(egressWith().fetch(server.url, { signal: caller.signal })).rejects.toThrow('enough');
  });
});

describe('size', () => {
  it('cuts a body of 50 MB at the cap without holding it', async () => {
    let written = 0;
    let done!: (bytes: number) => void;
    const sent = new Promise<number>((resolve) => {
      done = resolve;
    });
    const server = await httpServer((_request, response) => {
      const block = Buffer.alloc(64 * 1024);
      const pump = (): void => {
        while (written < 50 * MIB) {
          written += block.length;
          if (!response.write(block)) return void response.once('drain', pump);
        }
        response.end();
      };
      response.once('close', () => done(written));
      pump();
    });
    const before = process.memoryUsage().arrayBuffers;
    await failure(egressWith().fetch(server.url, { maxBytes: MIB }), 'PAYLOAD_TOO_LARGE', /more than 1048576 bytes/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MIB);
    // What the kernel's buffers took is lost; the rest was never sent.
    expect(await sent).toBeLessThan(25 * MIB);
  });

  it('does not begin to read a body that announces too much', async () => {
    const server = await httpServer((_request, response) => {
      response.writeHead(200, { 'content-length': 50 * MIB }).write('x');
    });
    await failure(egressWith().fetch(server.url), 'PAYLOAD_TOO_LARGE');
  });

  it('takes a body of exactly the cap', async () => {
    const server = await httpServer((_request, response) => void response.end('12345'));
    expect((await egressWith().fetch(server.url, { maxBytes: 5 })).text()).toBe('12345');
    await failure(egressWith().fetch(server.url, { maxBytes: 4 }), 'PAYLOAD_TOO_LARGE');
  });

  it('refuses headers beyond their cap', async () => {
    const server = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      for (let n = 0; n < 100; n++) socket.write(`x-${n}: ${'a'.repeat(1000)}\r\n`);
      socket.write('content-length: 0\r\n\r\n');
    });
    await failure(egressWith().fetch(server.url), 'PAYLOAD_TOO_LARGE', /larger headers/);
  });

  it('asks for no compression, and refuses a compressed body however it is called', async () => {
    const bomb = gzipSync(Buffer.alloc(10 * MIB));
    for (const encoding of ['gzip', ' GZIP', 'br', 'identity, gzip']) {
      const server = await httpServer(
        (_request, response) => void response.writeHead(200, { 'content-encoding': encoding }).end(bomb),
      );
      await failure(egressWith().fetch(server.url), 'UPSTREAM_INVALID', /compressed body/);
      expect(server.requests[0]?.headers['accept-encoding']).toBe('identity');
    }
    const honest = await httpServer(
      (_request, response) => void response.writeHead(200, { 'content-encoding': 'identity' }).end('ok'),
    );
    expect((await egressWith().fetch(honest.url)).text()).toBe('ok');
  });
});

describe('a broken other side', () => {
  it('that is not there', async () => {
    const gone = await rawServer(() => {});
    const { port } = gone;
    const egress = egressWith({ allow: ['127.0.0.1', 'agent.test'], resolve: names({ 'agent.test': ['127.0.0.1'] }) });
    const free = port === 1 ? 2 : 1;
    await failure(
      egress.fetch(`http://127.0.0.1:${free}/?token=t0p`),
      'UPSTREAM_UNREACHABLE',
      /^http:\/\/127\.0\.0\.1:\d+ refused the connection \(ECONNREFUSED\)\.$/,
    );
    await failure(
      egress.fetch(`http://agent.test:${free}/`),
      'UPSTREAM_UNREACHABLE',
      /^http:\/\/agent\.test:\d+ refused/,
    );
  });

  it('that closes half-way through its headers or its body', async () => {
    for (const half of [
      'HTTP/1.1 200 O',
      'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n',
    ]) {
      const server = await rawServer((socket) => void socket.end(half));
      await failure(egressWith().fetch(server.url), 'UPSTREAM_UNREACHABLE', /before its answer was complete/);
    }
  });

  it('that resets the connection', async () => {
    const server = await rawServer((socket) => void socket.resetAndDestroy());
    await failure(egressWith().fetch(server.url), 'UPSTREAM_UNREACHABLE', /reset or closed/);
  });

  it('that does not speak HTTP', async () => {
    const server = await rawServer((socket) => void socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    await failure(egressWith().fetch(server.url), 'UPSTREAM_INVALID', /valid HTTP/);
  });

  it('that answers no JSON where JSON was expected', async () => {
    const server = await httpServer((_request, response) => void response.writeHead(502).end('<html>'));
    const response = await egressWith().fetch(server.url);
    expect([response.ok, response.status]).toEqual([false, 502]);
    expect(() => response.json()).toThrow(/answered 502 with a body that is not JSON/);
  });
});

describe('headers', () => {
  it.each(['Host', 'Connection', 'Transfer-Encoding', 'Content-Length', 'Upgrade', 'Accept-Encoding', 'Expect', 'TE'])(
    'refuses the caller’s %s',
    async (name) => {
      const server = await httpServer();
      await failure(
        egressWith().fetch(server.url, { headers: { [name]: 'x' } }),
        'INVALID_INPUT',
        /set by Rollcall itself/,
      );
      expect(server.connections()).toBe(0);
    },
  );

  it('refuses injection, without repeating the value', async () => {
    const server = await httpServer();
    for (const headers of [{ authorization: 't0p\r\nx: y' }, { 'x\r\ny': 'z' }, { '': 'z' }, { 'x-a': 'ü€' }]) {
      const error = await failure(egressWith().fetch(server.url, { headers }), 'INVALID_INPUT');
      expect(error.message).not.toContain('t0p');
    }
    await failure(egressWith().fetch(server.url, { etag: 'a\nb' }), 'INVALID_INPUT', /etag/);
    expect(server.connections()).toBe(0);
  });

  it('hands over what came, several values joined', async () => {
    const server = await httpServer((_request, response) => {
      response
        .writeHead(200, [
          ['ETag', '"v1"'],
          ['Link', '<a>'],
          ['Link', '<b>'],
        ] as unknown as string[])
        .end();
    });
    const { headers } = await egressWith().fetch(server.url);
    expect(headers.etag).toBe('"v1"');
    expect(headers.link).toBe('<a>, <b>');
  });

  it('sends a body of text or bytes', async () => {
    const server = await httpServer();
    const egress = egressWith();
    await egress.fetch(server.url, { method: 'POST', body: 'grüße' });
    await egress.fetch(server.url, { method: 'PUT', body: new Uint8Array([104, 105]) });
    expect(server.requests.map(({ method, body }) => [method, body])).toEqual([
      ['POST', 'grüße'],
      ['PUT', 'hi'],
    ]);
  });
});
