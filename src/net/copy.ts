/** Copying between connections and other streams of bytes: what Go's io.Copy is for TCPConn.ReadFrom and WriteTo. */
import type { Reader, WaitOptions, Writer } from './conn.ts';
import { abortError } from './errors.ts';

/** Where bytes can be copied from: a connection, a stream, a generator, a list. */
export type ByteSources = Reader | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
/** Where bytes can be copied to: a connection, or a stream. */
export type ByteSinks = Writer | WritableStream<Uint8Array>;

/** Gives the next bytes, undefined at the end; `done` lets go of the source. */
interface Source {
  next(): Promise<Uint8Array | undefined>;
  done(): void;
}

interface Sink {
  write(bytes: Uint8Array): Promise<unknown>;
  done(): void;
}

/** A copy that failed on its way; `cause` is why, `copied` how many bytes had gone over. */
export class CopyFailure {
  readonly cause: unknown;
  readonly copied: number;

  constructor(cause: unknown, copied: number) {
    this.cause = cause;
    this.copied = copied;
  }
}

const CHUNK = 32_768;

/**
 * Copies until `source` ends, one chunk after the other. Neither side is closed; what was read and could not be written is lost, as in Go.
 * @returns the number of bytes
 * @throws CopyFailure (as a rejection); TypeError when `source` or `sink` is none
 */
export async function copy(source: ByteSources, sink: ByteSinks, { signal }: WaitOptions): Promise<number> {
  const from = sourceOf(source, signal);
  let to: Sink | undefined;
  let copied = 0;
  try {
    to = sinkOf(sink, signal);
    for (let bytes = await from.next(); bytes !== undefined; bytes = await from.next()) {
      if (!(bytes instanceof Uint8Array)) throw new TypeError(`a chunk must be a Uint8Array, got ${typeof bytes}`);
      await to.write(bytes);
      copied += bytes.length;
    }
    return copied;
  } catch (error) {
    const written = (error as { bytesWritten?: unknown } | undefined)?.bytesWritten;
    throw new CopyFailure(error, copied + (typeof written === 'number' ? written : 0));
  } finally {
    from.done();
    to?.done();
  }
}

/** What is wrong with a source, or undefined. */
export function isByteSource(source: unknown): boolean {
  if (source instanceof Uint8Array || typeof source !== 'object' || source === null) return false;
  const known = source as Partial<Reader & ReadableStream & AsyncIterable<unknown> & Iterable<unknown>>;
  return [known.read, known.getReader, known[Symbol.asyncIterator], known[Symbol.iterator]].some(isFunction);
}

export function isByteSink(sink: unknown): boolean {
  if (typeof sink !== 'object' || sink === null) return false;
  const known = sink as Partial<Writer & WritableStream>;
  return isFunction(known.write) || isFunction(known.getWriter);
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

/** Streams of Node's own have a `read` of another kind; what can be iterated over is, then. */
function sourceOf(source: ByteSources, signal: AbortSignal | undefined): Source {
  if ('localAddr' in source && 'read' in source) return fromReader(source, signal);
  if ('getReader' in source) {
    const reader = source.getReader();
    return { next: async () => (await unlessAborted(reader.read(), signal)).value, done: () => reader.releaseLock() };
  }
  if (Symbol.asyncIterator in source) return fromIterator(source[Symbol.asyncIterator](), signal);
  if (Symbol.iterator in source) return fromIterator(source[Symbol.iterator](), signal);
  return fromReader(source, signal);
}

function fromReader(source: Reader, signal: AbortSignal | undefined): Source {
  const chunk = new Uint8Array(CHUNK);
  return {
    next: async () => {
      const count = await source.read(chunk, { signal });
      return count === null ? undefined : chunk.subarray(0, count);
    },
    done: () => {},
  };
}

function fromIterator(
  iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array>,
  signal: AbortSignal | undefined,
): Source {
  let isOver = false;
  return {
    next: async () => {
      try {
        const result = await unlessAborted(iterator.next(), signal);
        isOver = result.done === true;
        return isOver ? undefined : result.value;
      } catch (error) {
        // One that throws is over, too; one that nobody waits for any more is told so.
        isOver = signal?.aborted !== true;
        throw error;
      }
    },
    done: () => {
      if (!isOver) void Promise.resolve(iterator.return?.()).catch(() => {});
    },
  };
}

function sinkOf(sink: ByteSinks, signal: AbortSignal | undefined): Sink {
  if (!('getWriter' in sink)) return { write: (bytes) => sink.write(bytes, { signal }), done: () => {} };
  const writer = sink.getWriter();
  // A stream may keep what it is given: it gets a copy.
  const write = async (bytes: Uint8Array) => {
    await unlessAborted(writer.ready, signal);
    await unlessAborted(writer.write(bytes.slice()), signal);
  };
  return { write, done: () => writer.releaseLock() };
}

/** What cannot be called off is not waited for. */
function unlessAborted<T>(promise: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return Promise.resolve(promise);
  return new Promise((resolve, reject) => {
    const aborted = () => reject(abortError(signal));
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    Promise.resolve(promise)
      .finally(() => signal.removeEventListener('abort', aborted))
      .then(resolve, reject);
  });
}
