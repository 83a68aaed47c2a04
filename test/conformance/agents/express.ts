import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { ReceivedBody } from './agent.ts';

/** As much of express as is used here: version 5 ships no types. */
export type Handler = (
  request: IncomingMessage & { body?: unknown; originalUrl?: string },
  response: ServerResponse,
  next: () => void,
) => void;
export type ExpressApp = RequestListener & {
  use(handler: unknown): void;
  use(path: string, handler: unknown): void;
};
type Express = (() => ExpressApp) & { json(options: object): Handler };

/** An application that notes the JSON bodies it gets. `of`: the package whose own express is to be used. */
export function recordingApp(received: ReceivedBody[], of: string = import.meta.url): ExpressApp {
  const express = createRequire(of)('express') as Express;
  const app = express();
  app.use(express.json({ type: ['application/json', 'application/a2a+json'], limit: '1mb' }));
  const note: Handler = (request, _response, next) => {
    if (request.method === 'POST') received.push({ path: request.originalUrl ?? '', body: request.body });
    next();
  };
  app.use(note);
  return app;
}
