import { fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';

interface IndexedFile {
  readonly bytes: Buffer;
  readonly imports: readonly string[];
}

/** Finds the files of a descriptor set by name and by the symbols they define: what server reflection asks for. */
export class DescriptorIndex {
  readonly #files = new Map<string, IndexedFile>();
  /** Fully qualified name without a leading dot → file name. */
  readonly #symbols = new Map<string, string>();
  readonly #messages = new Set<string>();

  /** @param descriptorSet a serialised google.protobuf.FileDescriptorSet that holds every import of its files */
  constructor(descriptorSet: Uint8Array) {
    for (const file of fromBinary(FileDescriptorSetSchema, descriptorSet).file) {
      this.#files.set(file.name, {
        bytes: Buffer.from(toBinary(FileDescriptorProtoSchema, file)),
        imports: file.dependency,
      });
      const define = (symbol: string): void => {
        this.#symbols.set(symbol, file.name);
      };
      const scope = file.package === '' ? '' : `${file.package}.`;
      for (const message of file.messageType) this.#defineMessage(scope, message, define);
      for (const type of file.enumType) defineEnum(scope, type, define);
      for (const extension of file.extension) define(scope + extension.name);
      for (const service of file.service) {
        define(scope + service.name);
        for (const method of service.method) define(`${scope}${service.name}.${method.name}`);
      }
    }
    for (const [name, { imports }] of this.#files) {
      const missing = imports.find((imported) => !this.#files.has(imported));
      if (missing !== undefined) throw new Error(`The descriptor set lacks ${missing}, which ${name} imports.`);
    }
  }

  #defineMessage(scope: string, message: DescriptorProto, define: (symbol: string) => void): void {
    const name = scope + message.name;
    define(name);
    this.#messages.add(name);
    const inner = `${name}.`;
    for (const member of [...message.field, ...message.oneofDecl, ...message.extension]) define(inner + member.name);
    for (const type of message.enumType) defineEnum(inner, type, define);
    for (const nested of message.nestedType) this.#defineMessage(inner, nested, define);
  }

  /**
   * The file of that name and everything it imports, each once as a serialised FileDescriptorProto; undefined when
   * unknown. The file comes first and each file before its imports: clients that build their types in one pass walk
   * the list backwards.
   */
  file(name: string): Buffer[] | undefined {
    if (!this.#files.has(name)) return undefined;
    const visited = new Set<string>();
    const importsFirst: Buffer[] = [];
    const visit = (each: string): void => {
      const file = this.#files.get(each);
      if (file === undefined || visited.has(each)) return;
      visited.add(each);
      for (const imported of file.imports) visit(imported);
      importsFirst.push(file.bytes);
    };
    visit(name);
    return importsFirst.reverse();
  }

  /** As {@link file}, for the file that defines a package-qualified message, field, enum, value, service or method. */
  fileOf(symbol: string): Buffer[] | undefined {
    const name = this.#symbols.get(symbol.startsWith('.') ? symbol.slice(1) : symbol);
    return name === undefined ? undefined : this.file(name);
  }

  /** Whether the set defines a message of that package-qualified name. */
  hasMessage(name: string): boolean {
    return this.#messages.has(name.startsWith('.') ? name.slice(1) : name);
  }
}

/** An enum's values are siblings of the enum, not members of it (as in C++, and so in descriptors). */
function defineEnum(scope: string, type: EnumDescriptorProto, define: (symbol: string) => void): void {
  define(scope + type.name);
  for (const value of type.value) define(scope + value.name);
}
