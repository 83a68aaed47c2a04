import { type Client, type experimental, Metadata } from '@grpc/grpc-js';

/** Of grpc's own channel, what tells why it is not connected. */
interface Inside {
  readonly internalChannel?: {
    doPick(metadata: Metadata, extra: object): Pick<experimental.PickResult, 'status'>;
  };
}

/**
 * How TLS failed, in few words; undefined when something else did, or grpc-js does not say. Its public face gives no
 * reason, so this reads what a call would be refused with, and sends none.
 */
export function tlsFailureOf(client: Client): string | undefined {
  const outer: object = client.getChannel();
  // A channel that stands in for others, as src/grpc/connection.ts knows them.
  const channel = ('current' in outer ? (outer as { current(): object }).current() : outer) as Inside;
  const details = channel.internalChannel?.doPick(new Metadata(), {}).status?.details ?? '';
  const [, error = ''] = /Last error: (.*?)\.? Resolution note: /s.exec(details) ?? [];
  // With a code the text is left out: it lists the names in the certificate, and Flyte's users are to read this.
  const [, code] = /\[(ERR_(?:TLS|SSL)_\w+)\]/.exec(error) ?? [];
  const [, reason] = /SSL routines:[^:]*:([^:]+)/.exec(error) ?? [];
  const [said] = /certificate|secure TLS connection/.test(error) ? error.replace(/^Error: /, '').split(/[;\n]/) : [];
  return code ?? reason ?? said;
}
