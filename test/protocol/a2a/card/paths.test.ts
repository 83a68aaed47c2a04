import { describe, expect, it } from 'vitest';
import { CARD_PATHS, cardUrlCandidates } from '../../../../src/protocol/a2a/card/index.ts';

const both = (base: string) => CARD_PATHS.map((path) => base + path);

describe('cardUrlCandidates', () => {
  it.each([
    ['https://a.example', both('https://a.example/')],
    ['https://a.example/', both('https://a.example/')],
    ['  https://a.example/agents/7 ', both('https://a.example/agents/7/')],
    ['https://a.example/agents/7//', both('https://a.example/agents/7/')],
    ['https://a.example/x/.well-known/', both('https://a.example/x/')],
    ['https://a.example/x#skills', both('https://a.example/x/')],
    ['a.example/x', both('https://a.example/x/')],
    ['localhost:4000', both('http://localhost:4000/')],
    ['127.0.0.1:4000/a2a', both('http://127.0.0.1:4000/a2a/')],
    ['[::1]:4000', both('http://[::1]:4000/')],
    ['https://a.example/.well-known/agent.json', ['https://a.example/.well-known/agent.json']],
    ['https://a.example/cards/7.json?v=2', ['https://a.example/cards/7.json?v=2']],
    ['https://a.example/x?key=1', both('https://a.example/x/').map((url) => `${url}?key=1`)],
  ])('of %s are the URLs to try, in order', (given, expected) => {
    expect(cardUrlCandidates(given)).toEqual(expected);
  });

  it.each(['', '   ', 'ftp://a.example', 'file:///etc/passwd', 'https://', 'http://a b'])('refuses %j', (given) => {
    expect(() => cardUrlCandidates(given)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT', field: 'url' }));
  });
});
