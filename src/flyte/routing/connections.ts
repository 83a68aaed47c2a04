import { type Client, type ClientOptions, connectivityState } from '@grpc/grpc-js';
import { RollcallError } from '../../errors.ts';
import type { FlyteDeployment, FlyteEndpoint } from './deployments.ts';
import { MAX_MESSAGE_BYTES } from './methods.ts';
import { tlsFailureOf } from './tls-failures.ts';

/** Opens a channel. Rejects or throws when the address is not allowed; the client is closed by its user. */
export type Connect = (endpoint: FlyteEndpoint) => Client | Promise<Client>;

/** What a {@link Connect} should open its channels with. */
export const DEPLOYMENT_CHANNEL_OPTIONS: ClientOptions = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  // What is sent was taken under a limit of ours before; what routes it may come on top.
  'grpc.max_send_message_length': -1,
  // A deployment that restarts is back within seconds; grpc's own pause grows to two minutes.
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 2_000,
  // Finds connections whose other end vanished without a word. Servers cut clients off that ping quiet calls more often
  // than every five minutes.
  'grpc.keepalive_time_ms': 330_000,
  'grpc.keepalive_timeout_ms': 20_000,
  // Retries are the router's: it knows which calls may be made twice.
  'grpc.enable_retries': 0,
};

/** The request has certainly not left: another deployment may be asked without doing work twice. */
export class NotSentError extends RollcallError {
  override readonly name = 'NotSentError';
}

/** One use of a channel. */
export interface ChannelUse {
  readonly client: Client;
  /** Must be called once, when the call has ended. */
  readonly release: () => void;
}

interface Channel {
  readonly endpoint: FlyteEndpoint;
  readonly opened: Promise<Client>;
  /** What `opened` gave, from then on. */
  client: Client | undefined;
  uses: number;
  retired: boolean;
}

/** The channels to the deployments: one each, opened when first needed, closed when its deployment is gone and its calls have ended. */
export class Connections {
  readonly #connect: Connect;
  readonly #maxUses: number;
  readonly #channels = new Map<string, Channel>();

  /** @param maxUses calls that one deployment may have at the same time */
  constructor(connect: Connect, maxUses: number) {
    this.#connect = connect;
    this.#maxUses = maxUses;
  }

  /**
   * A channel that is connected.
   * @param deadline epoch milliseconds
   * @throws NotSentError when it cannot be; RollcallError RATE_LIMITED when the deployment has too many calls
   */
  async use(deployment: FlyteDeployment, deadline: number, signal: AbortSignal): Promise<ChannelUse> {
    const channel = this.#channel(deployment);
    if (channel.uses >= this.#maxUses) {
      throw new RollcallError(
        'RATE_LIMITED',
        `${deployment.address} has ${channel.uses} calls already; try again shortly.`,
      );
    }
    channel.uses += 1;
    const release = (): void => {
      channel.uses -= 1;
      if (channel.retired && channel.uses === 0)
        void channel.opened.then(
          (client) => client.close(),
          () => undefined,
        );
    };
    try {
      const client = channel.client ?? (await inTime(channel.opened, deployment, deadline, signal));
      if (signal.aborted || client.getChannel().getConnectivityState(true) !== connectivityState.READY)
        await connected(client, deployment, deadline, signal);
      return { client, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #channel(deployment: FlyteDeployment): Channel {
    const known = this.#channels.get(deployment.id);
    if (known !== undefined && known.endpoint.address === deployment.address && known.endpoint.tls === deployment.tls) {
      return known;
    }
    if (known !== undefined) this.#retire(deployment.id, known);
    const endpoint = { address: deployment.address, tls: deployment.tls };
    const opened = (async () => this.#connect(endpoint))();
    const channel: Channel = { endpoint, opened, client: undefined, uses: 0, retired: false };
    this.#channels.set(deployment.id, channel);
    opened.then(
      (client) => {
        channel.client = client;
      },
      () => {
        // A refusal may be lifted: the next call asks again.
        if (this.#channels.get(deployment.id) === channel) this.#channels.delete(deployment.id);
      },
    );
    return channel;
  }

  #retire(id: string, channel: Channel): void {
    this.#channels.delete(id);
    channel.retired = true;
    if (channel.uses === 0)
      void channel.opened.then(
        (client) => client.close(),
        () => undefined,
      );
  }

  /** Closes the channels of all other deployments, each after its last call. */
  retain(ids: ReadonlySet<string>): void {
    for (const [id, channel] of this.#channels) if (!ids.has(id)) this.#retire(id, channel);
  }
}

/** The factory may look names up: it too has only the time that the call has. */
async function inTime(
  opened: Promise<Client>,
  { address }: FlyteEndpoint,
  deadline: number,
  signal: AbortSignal,
): Promise<Client> {
  signal.throwIfAborted();
  const given = Promise.withResolvers<never>();
  const giveUp = (): void => given.reject(signal.reason);
  const late = (): void => given.reject(new NotSentError('UPSTREAM_TIMEOUT', `${address} was not found in time.`));
  const timer = setTimeout(late, Math.max(0, deadline - Date.now()));
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([opened, given.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

/** Waits until the channel is connected. A deployment that refuses is given up at once, not at the deadline. */
async function connected(
  client: Client,
  { address }: FlyteEndpoint,
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  const channel = client.getChannel();
  for (;;) {
    signal.throwIfAborted();
    const state = channel.getConnectivityState(true);
    if (state === connectivityState.READY) return;
    if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN) {
      const tls = tlsFailureOf(client);
      const how = tls === undefined ? '' : `: TLS failed (${tls})`;
      throw new NotSentError('UPSTREAM_UNREACHABLE', `${address} cannot be reached${how}.`);
    }
    const late = await new Promise<boolean>((resolve) => {
      const stop = (): void => resolve(false);
      signal.addEventListener('abort', stop, { once: true });
      channel.watchConnectivityState(state, deadline, (error) => {
        signal.removeEventListener('abort', stop);
        resolve(error !== undefined);
      });
    });
    if (late) throw new NotSentError('UPSTREAM_TIMEOUT', `${address} did not take the connection in time.`);
  }
}
