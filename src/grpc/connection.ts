import type { ChannelInterface, experimental, Metadata, StatusObject, status } from '@grpc/grpc-js';

/** A call as the connection carries it: framed messages, no deadline, no retries. */
export interface ConnectionCall {
  cancelWithStatus(code: status, details: string): void;
  sendMessageWithContext(context: object, framed: Buffer): void;
  halfClose(): void;
  startRead(): void;
}

/** What such a call gives: framed messages, then the status. */
export interface ConnectionListener {
  onReceiveMetadata(metadata: Metadata): void;
  onReceiveMessage(framed: Buffer): void;
  onReceiveStatus(ended: StatusObject): void;
}

interface Subchannel {
  createCall(
    metadata: Metadata,
    host: string,
    path: string,
    listener: ConnectionListener,
    callId: number,
  ): ConnectionCall;
}

/** Of grpc's own channel, what begins a call once the metadata are there. */
interface InternalChannel {
  readonly defaultAuthority: string;
  doPick(metadata: Metadata, extra: object): experimental.PickResult;
  onCallStart(): void;
  onCallEnd(ended: StatusObject): void;
}

/** One server, connected. */
export interface Connection {
  readonly subchannel: Subchannel;
  readonly channel: InternalChannel;
}

/** A channel that stands in for others. */
interface Standing extends ChannelInterface {
  current(): ChannelInterface;
}

const COMPLETE = 0 satisfies experimental.PickResultType.COMPLETE;

/**
 * Where a channel's next call would go; undefined when it is not connected.
 *
 * The channel keeps what it does for every call: the choice of the connection, its idle time, and below it TLS, keepalive
 * and the end of connections. What is gone round is what it does for calls that may be retried, filtered and credited
 * one by one, which is half of the processor time of a small call. The reference is to the inside of one version of
 * grpc-js; test/grpc/quick-call.test.ts fails where another has another inside.
 */
export function connectionOf(channel: ChannelInterface, metadata: Metadata): Connection | undefined {
  const real = 'current' in channel ? (channel as Standing).current() : channel;
  const { internalChannel } = real as unknown as { readonly internalChannel: InternalChannel };
  const picked = internalChannel.doPick(metadata, {});
  if (picked.pickResultType !== COMPLETE || picked.subchannel === null) return undefined;
  return { subchannel: picked.subchannel.getRealSubchannel() as unknown as Subchannel, channel: internalChannel };
}
