/** OpError: what every operation of `net/` fails with. */
import { Errno, type NetError } from './errors.ts';

/** The address of one end (Go: net.Addr). */
export interface Addr {
  /** `tcp`. */
  network(): string;
  /** `10.9.0.1:80`. */
  toString(): string;
}

/**
 * An operation on a connection, a listener or the way to one that failed:
 * `dial tcp 10.9.0.1:80: connect: connection refused`.
 */
export class OpError extends Error implements NetError {
  override readonly name = 'OpError';
  /** dial, listen, accept, read, write, close or set. */
  readonly op: string;
  /** The network as the caller named it; on a connection it is `tcp`. */
  readonly net: string;
  /** This end, where the operation had one. */
  readonly source: Addr | undefined;
  /** The remote end, or the address of the listener. */
  readonly addr: Addr | undefined;
  /** Why; also `cause`. */
  readonly err: Error;
  /** Bytes that the stack had accepted before a write failed; 0 for all else. */
  readonly bytesWritten: number;

  constructor(op: string, net: string, source: Addr | undefined, addr: Addr | undefined, err: Error, bytesWritten = 0) {
    super(text(op, net, source, addr, err), { cause: err });
    this.op = op;
    this.net = net;
    this.source = source;
    this.addr = addr;
    this.err = err;
    this.bytesWritten = bytesWritten;
  }

  /** The cause's: `ECONNREFUSED`, `ERR_CLOSED`, `ERR_DEADLINE_EXCEEDED`, ...; empty when it has none. */
  get code(): string {
    const { code } = this.err as Partial<NetError>;
    return typeof code === 'string' ? code : '';
  }

  /** The negative error number, when a socket call failed. */
  get errno(): number | undefined {
    return (this.err as Partial<Errno>).errno;
  }

  /** The socket call that failed: connect, read, ... */
  get syscall(): string | undefined {
    return (this.err as { syscall?: string }).syscall;
  }

  get timeout(): boolean {
    return (this.err as Partial<NetError>).timeout ?? false;
  }

  get temporary(): boolean {
    // Go: a connection that its peer gave up before it was accepted says nothing about the next one.
    if (this.op === 'accept' && this.err instanceof Errno && /^ECONN(RESET|ABORTED)$/.test(this.err.code)) return true;
    return (this.err as Partial<NetError>).temporary ?? false;
  }
}

function text(op: string, net: string, source: Addr | undefined, addr: Addr | undefined, err: Error): string {
  let head = op;
  if (net !== '') head += ` ${net}`;
  if (source !== undefined) head += ` ${source}`;
  if (addr !== undefined) head += `${source === undefined ? ' ' : '->'}${addr}`;
  return `${head}: ${err.message}`;
}
