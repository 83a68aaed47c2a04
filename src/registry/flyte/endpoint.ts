import { invalid } from '../../errors.ts';
import { parseHost } from '../../upstream/egress/url.ts';

const SHAPE = /^(\[[^\]]*\]|[^:[\]]*):([0-9]+)$/;
const PORT = /^[1-9][0-9]{0,4}$/;

/**
 * A gRPC endpoint in its one form, `host:port`: the host as egress reads it, IPv6 in brackets. gRPC's own target syntax
 * ("dns:///…", "unix:…") is refused: it could name what egress has not checked.
 *
 * @throws RollcallError INVALID_INPUT naming the field.
 */
export function parseEndpoint(raw: string, field = 'input.endpoint'): string {
  const parts = SHAPE.exec(raw);
  if (parts === null)
    throw invalid(
      field,
      'must be host:port without a scheme or path, such as spark-agent.flyte:8000 or [fd00::1]:8000',
    );
  const [, host = '', port = ''] = parts;
  if (!PORT.test(port) || Number(port) > 65_535) throw invalid(field, 'the port must be between 1 and 65535');
  const name = parseHost(host, field);
  return `${name.includes(':') ? `[${name}]` : name}:${port}`;
}
