import { type Logger, pino } from 'pino';

/** Keys whose values never reach a log line, at any of the depths where we log objects. */
const SECRET_KEYS = [
  'authorization',
  'cookie',
  'token',
  'password',
  'secret',
  'clientSecret',
  'credentials',
  'value',
  'authentication',
  'authenticationConfig',
];

/** What of an error is logged: not the values of a failed statement, which may hold what a user typed. */
function loggable(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return {
    type: error.name,
    message: error.message.split('\n')[0],
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof constraint === 'string' ? { constraint } : {}),
    stack: error.stack
      ?.split('\n')
      .filter((line) => line.trimStart().startsWith('at '))
      .slice(0, 20)
      .join('\n'),
    ...(error.cause === undefined ? {} : { cause: loggable(error.cause) }),
  };
}

/** The structured log, one JSON object a line, on standard error: standard output is for what a person reads. */
export function createLog(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: loggable },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '(secret)' },
    },
    pino.destination({ fd: 2, sync: false }),
  );
}
