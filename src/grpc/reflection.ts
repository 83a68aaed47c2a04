import { type Server, type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { DescriptorIndex } from '../protocol/flyte/descriptor-index.ts';
import {
  ServerReflectionService as ReflectionV1,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from '../protocol/flyte/generated/grpc/reflection/v1/reflection.ts';
import { ServerReflectionService as ReflectionV1Alpha } from '../protocol/flyte/generated/grpc/reflection/v1alpha/reflection.ts';
import { serviceNameOf } from '../protocol/flyte/raw-service.ts';

/** The reflection services themselves: both versions, for tools ask for either. */
export const REFLECTION_SERVICES: readonly string[] = [serviceNameOf(ReflectionV1), serviceNameOf(ReflectionV1Alpha)];

type Answer = NonNullable<ServerReflectionResponse['messageResponse']>;
type Call = ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>;

const missing = (what: string): Answer => ({
  $case: 'errorResponse',
  value: { errorCode: status.NOT_FOUND, errorMessage: `${what} is not known here.` },
});

const files = (found: Buffer[] | undefined, what: string): Answer =>
  found === undefined ? missing(what) : { $case: 'fileDescriptorResponse', value: { fileDescriptorProto: found } };

/** The answer to one question (grpc/doc/server-reflection.md). */
function reflect(request: ServerReflectionRequest, index: DescriptorIndex, services: readonly string[]): Answer {
  const question = request.messageRequest;
  switch (question?.$case) {
    case 'listServices':
      return { $case: 'listServicesResponse', value: { service: services.map((name) => ({ name })) } };
    case 'fileByFilename':
      return files(index.file(question.value), `File ${question.value}`);
    case 'fileContainingSymbol':
      return files(index.fileOf(question.value), `Symbol ${question.value}`);
    case 'allExtensionNumbersOfType':
      // Nothing here is extended: proto3 has no extensions but options.
      return index.hasMessage(question.value)
        ? {
            $case: 'allExtensionNumbersResponse',
            value: { baseTypeName: question.value, extensionNumber: [] },
          }
        : missing(`Message ${question.value}`);
    case 'fileContainingExtension':
      return missing(`Extension ${question.value.extensionNumber} of ${question.value.containingType}`);
    default:
      return {
        $case: 'errorResponse',
        value: { errorCode: status.INVALID_ARGUMENT, errorMessage: 'The request asks nothing.' },
      };
  }
}

/**
 * Adds server reflection. The result ends the streams that are open: a client that keeps one would hold up the
 * server's shutdown.
 */
export function addReflection(server: Server, index: DescriptorIndex, services: readonly string[]): () => void {
  const open = new Set<Call>();
  const serverReflectionInfo = (call: Call): void => {
    open.add(call);
    call.on('data', (request: ServerReflectionRequest) => {
      call.write({
        validHost: request.host,
        originalRequest: request,
        messageResponse: reflect(request, index, services),
      });
    });
    call.on('end', () => call.end());
    call.on('close', () => open.delete(call));
    call.on('cancelled', () => open.delete(call));
    call.on('error', () => open.delete(call));
  };
  // The messages of both versions are the same, so one implementation serves both.
  server.addService(ReflectionV1, { serverReflectionInfo });
  server.addService(ReflectionV1Alpha, { serverReflectionInfo });
  return () => {
    for (const call of open) call.end();
    open.clear();
  };
}
