import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

/** What a span says of itself. Never what a caller typed: no variables, no bodies, no header values. */
export type TraceAttributes = Readonly<Record<string, string | number | boolean>>;

/** A part of the work that a trace shows. */
export interface TraceSpan {
  child(name: string, attributes: TraceAttributes): TraceSpan;
  /** Continue the trace on the other side of a request (W3C Trace Context). */
  readonly headers: Readonly<Record<string, string>>;
  /** Ends it once; `failure` is a code or a short reason. */
  end(failure?: string): void;
}

/** Begins traces and sends them to a collector. */
export interface Tracing {
  /** @param headers of the caller's request: a trace that it carries is continued. */
  begin(
    name: string,
    attributes: TraceAttributes,
    headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  ): TraceSpan;
  /** Sends what is left. */
  close(): Promise<void>;
}

const CLOSE_MS = 2_000;
const PROPAGATOR = new W3CTraceContextPropagator();

/**
 * Traces to an OpenTelemetry collector over OTLP/HTTP, in batches.
 *
 * @param endpoint the collector's base URL (OTEL_EXPORTER_OTLP_ENDPOINT); traces go to `v1/traces` below it
 */
export function createTracing(endpoint: string): Tracing {
  const exporter = new OTLPTraceExporter({ url: new URL('v1/traces', endpoint.replace(/\/?$/, '/')).href });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'rollcall' }),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: 1_000 })],
  });
  const tracer = provider.getTracer('rollcall');
  const start = (name: string, kind: SpanKind, attributes: TraceAttributes, parent: Context): TraceSpan =>
    spanOf(tracer.startSpan(name, { kind, attributes }, parent), parent, start);
  return {
    begin(name, attributes, headers) {
      const parent = PROPAGATOR.extract(ROOT_CONTEXT, headers, {
        get: (carrier, key) => carrier[key] as string | undefined,
        keys: Object.keys,
      });
      return start(name, SpanKind.SERVER, attributes, parent);
    },
    async close() {
      // A collector that does not answer must not hold up the end.
      const late = new Promise<void>((resolve) => void setTimeout(resolve, CLOSE_MS).unref());
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
    },
  };
}

type Start = (name: string, kind: SpanKind, attributes: TraceAttributes, parent: Context) => TraceSpan;

function spanOf(span: Span, parent: Context, start: Start): TraceSpan {
  const own = trace.setSpan(parent, span);
  return {
    child: (name, attributes) => start(name, SpanKind.CLIENT, attributes, own),
    get headers() {
      const headers: Record<string, string> = {};
      PROPAGATOR.inject(own, headers, { set: (carrier, key, value) => Object.assign(carrier, { [key]: value }) });
      return headers;
    },
    end(failure) {
      if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
      span.end();
    },
  };
}
