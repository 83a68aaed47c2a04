import { describe, expect, it } from 'vitest';
import { DIALECTS, type DialectName } from '../../../src/protocol/a2a/dialects/index.ts';
import type { SendRequest } from '../../../src/protocol/a2a/requests.ts';
import { early } from './golden/early.ts';
import type { Golden } from './golden/golden.ts';
import { v1 } from './golden/v1.ts';
import { v03 } from './golden/v03.ts';
import { v03Rest } from './golden/v03-rest.ts';

const VECTORS: { readonly [N in DialectName]: readonly Golden[] } = {
  '1.0': v1,
  '0.3': v03,
  '0.3-rest': v03Rest,
  early,
};

function read(name: DialectName, golden: Golden): unknown {
  const dialect = DIALECTS[name];
  let made = 0;
  const newId = () => `new-${++made}`;
  if (golden.as === 'request') return dialect.readRequest(golden.operation, golden.wire, { newId });
  if (golden.as === 'result') return dialect.readResult(golden.operation, golden.wire);
  const { event, final } = dialect.readStreamEvent(golden.wire);
  if (golden.final !== undefined && golden.only === undefined) {
    // An agent that keeps a stream open for input closes it itself; only the older dialects say so in the event.
    expect({ final }).toEqual({ final: golden.final });
  }
  return event;
}

function write(name: DialectName, golden: Golden): unknown {
  const dialect = DIALECTS[name];
  if (golden.as === 'request') return dialect.writeRequest(golden.operation, golden.model as SendRequest);
  if (golden.as === 'result') return dialect.writeResult(golden.operation, golden.model as never, golden.options);
  return dialect.writeStreamEvent(golden.operation, golden.model as never, golden.options);
}

for (const [name, vectors] of Object.entries(VECTORS) as [DialectName, readonly Golden[]][]) {
  describe(`dialect ${name}`, () => {
    for (const golden of vectors) {
      if (golden.only !== 'write') {
        it(`reads ${golden.as} ${golden.operation}: ${golden.name}`, () => {
          expect(read(name, golden)).toStrictEqual(golden.model);
        });
      }
      if (golden.only !== 'read') {
        it(`writes ${golden.as} ${golden.operation}: ${golden.name}`, () => {
          const written = write(name, golden);
          expect(written).toStrictEqual(golden.as === 'event' ? [golden.wire] : golden.wire);
        });
      }
    }
  });
}
