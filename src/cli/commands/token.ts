import { type Command, InvalidArgumentError } from 'commander';
import { SCOPES } from '../../auth/principal.ts';
import { OPTIONS } from '../../config-options.ts';
import { UsageError } from '../exit.ts';
import { type Io, say } from '../io.ts';
import { withJson } from './common.ts';

interface TokenOptions {
  readonly subject: string;
  readonly scope?: readonly string[];
  readonly expires: number;
  readonly json?: boolean;
}

/** What a person of a development team needs: everything on their own things. */
const DEFAULT_SCOPES: readonly string[] = ['registry:read', 'registry:write', 'tasks:send', 'tasks:read'];
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const LONGEST_DAYS = 366;

function readDuration(text: string): number {
  const [, number, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const seconds = Number(number) * (SECONDS[unit ?? ''] ?? Number.NaN);
  if (!(seconds > 0 && seconds <= LONGEST_DAYS * 86_400))
    throw new InvalidArgumentError(`It must be a duration such as 30m, 8h or 7d, at most ${LONGEST_DAYS}d.`);
  return seconds;
}

/** How Rollcall's own scopes begin: another one that begins so is a mistake, and not another team's. */
const OURS = /^(registry|tasks|admin)\b/i;
/** RFC 6749 §3.3, without what separates scopes here. */
const SCOPE = /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,200}$/;

function readScopes(text: string, before: readonly string[] = []): readonly string[] {
  const scopes = text.split(/[\s,]+/).filter(Boolean);
  const wrong = scopes.find(
    (scope) => !(SCOPES as readonly string[]).includes(scope) && (OURS.test(scope) || !SCOPE.test(scope)),
  );
  if (wrong !== undefined || scopes.length === 0) {
    throw new InvalidArgumentError(
      `Scopes are ${SCOPES.join(', ')}, and those that other teams' subgraphs ask for; separate them by commas.`,
    );
  }
  return [...new Set([...before, ...scopes])];
}

/** `rollcall token`: a token that a server with the same AUTH_SECRET takes. */
export function addTokenCommand(program: Command, io: Io): void {
  const command = program
    .command('token')
    .description('Mint a development token, signed with AUTH_SECRET. For production, use an identity provider.')
    .requiredOption('--subject <subject>', 'who it is for: a UUID, or any name, for which a UUID then stands')
    .option('--scope <scopes>', `what it allows (default: ${DEFAULT_SCOPES.join(',')}; may be repeated)`, readScopes)
    .option('--expires <duration>', 'how long it holds: 30m, 8h, 7d (default: 1h)', readDuration, SECONDS['h'])
    .action(async (options: TokenOptions) => {
      const secret = readSecret(io);
      const scopes = options.scope ?? DEFAULT_SCOPES;
      const issuer = io.env['AUTH_ISSUER'] || undefined;
      const audience = io.env['AUTH_AUDIENCE'] || undefined;
      const { mintToken, subjectOf } = await import('../../auth/authenticator.ts');
      const token = await mintToken(
        { AUTH_SECRET: secret, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience },
        { subject: options.subject, scopes, expiresInSeconds: options.expires },
      );
      const expiresAt = new Date(Date.now() + options.expires * 1_000).toISOString();
      await say(
        io,
        options.json,
        { token, subject: options.subject, owner: subjectOf(issuer, options.subject), scopes, expiresAt },
        token,
      );
    });
  withJson(command).addHelpText('after', '\nAUTH_ISSUER and AUTH_AUDIENCE, where they are set, go into the token.');
}

function readSecret(io: Io): string {
  const given = io.env['AUTH_SECRET'];
  if (given === undefined || given === '') {
    throw new UsageError(
      io.env['AUTH_JWKS_URL']
        ? 'AUTH_SECRET: not set; a server with AUTH_JWKS_URL takes the tokens of its identity provider only'
        : 'AUTH_SECRET: not set; set it to the secret of the server that shall take the token',
    );
  }
  try {
    return OPTIONS.AUTH_SECRET.read(given)!;
  } catch (error) {
    throw new UsageError(`AUTH_SECRET: ${(error as Error).message}`);
  }
}
