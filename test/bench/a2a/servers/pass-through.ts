import { Pool } from 'undici';
import { listen } from '../../listen.ts';

/**
 * The least that can stand between a client and an agent: node:http in, undici out, bytes both ways. It reads, checks,
 * translates and keeps nothing.
 */
const agent = new URL(process.env['AGENT_URL']!);
const pool = new Pool(agent.origin, { pipelining: 1, bodyTimeout: 0, headersTimeout: 0 });
const KEPT = ['content-type', 'content-length', 'cache-control'] as const;

listen((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    try {
      const headers = { 'content-type': 'application/json', 'a2a-version': '1.0' };
      const body = Buffer.concat(chunks);
      const answer = await pool.request({ path: agent.pathname, method: 'POST', headers, body });
      const given = KEPT.flatMap((name) => (answer.headers[name] === undefined ? [] : [[name, answer.headers[name]]]));
      response.writeHead(answer.statusCode, Object.fromEntries(given));
      response.on('close', () => answer.body.destroy());
      answer.body.on('error', () => response.destroy());
      answer.body.pipe(response);
    } catch {
      response.writeHead(502).end();
    }
  });
});
