/**
 * System calls on the host's sockets. A call is a function that is tried until it has a result: what would wait gives undefined.
 */
import { AF_INET, AF_INET6, AF_UNSPEC, SO_DOMAIN, SO_ERROR, SOL_SOCKET } from '../socket/constants.ts';
import { EAGAIN, EBADF, EINPROGRESS, ENOTSOCK, errnoName } from '../socket/errno.ts';
import type { SocketAddress } from '../socket/socket.ts';
import { Arguments, numberOf } from './arguments.ts';
import { type Attempt, type Caller, type CallHooks, expectedNumber, expectsErrno, onSocket } from './call-support.ts';
import { Descriptors, type SocketDescriptor } from './descriptors.ts';
import { ScriptFailure, UnsupportedFeature } from './errors.ts';
import { getOptionCall, setOptionCall } from './option-calls.ts';
import { epollControl, epollCreate, epollWait, pollCall } from './readiness-calls.ts';
import { receiveCall } from './receive-calls.ts';
import type { CallAction } from './script.ts';
import { isOpening, sendCall } from './send-calls.ts';
import { symbol } from './symbols.ts';
import type { Target, TestSocket } from './target.ts';

const SOCK_NONBLOCK = symbol('SOCK_NONBLOCK') as number;
const SOCK_FLAGS = SOCK_NONBLOCK | (symbol('SOCK_CLOEXEC') as number);
const O_NONBLOCK = symbol('O_NONBLOCK') as number;
const O_RDWR = 2;
/** struct sockaddr_in and sockaddr_in6. */
const SOCKADDR_LENGTHS: Readonly<Record<number, number>> = { [AF_INET]: 16, [AF_INET6]: 28 };
/** Calls on things that a host in memory does not have. */
const ABSENT: Readonly<Record<string, string>> = {
  open: 'there are no files',
  openat: 'there are no files',
  sendfile: 'there are no files',
  pipe: 'there are no pipes',
  pipe2: 'there are no pipes',
  splice: 'there are no pipes',
  tee: 'there are no pipes',
  vmsplice: 'there are no pipes',
  mmap: 'there are no pages to map',
  munmap: 'there are no pages to map',
  cap_set: 'there are no capabilities',
  fork: 'there is one process',
};

export class SystemCalls implements Caller {
  readonly descriptors = new Descriptors();
  readonly hooks: CallHooks;
  readonly #target: Target;

  constructor(target: Target, hooks: CallHooks) {
    this.#target = target;
    this.hooks = hooks;
  }

  /** @throws UnsupportedFeature, ScriptFailure */
  start(call: CallAction): Attempt {
    const args = new Arguments(call);
    switch (call.name) {
      case 'socket':
        return () => this.#socket(call, args);
      case 'bind':
        return () => this.#bind(args);
      case 'listen':
        return () => this.#listen(args);
      case 'accept':
      case 'accept4':
        return this.#accept(call, args);
      case 'connect':
        return this.#connect(args);
      case 'close':
        return () => this.#close(args);
      case 'shutdown':
        return () => onSocket(this.socketOf(args), ({ socket }) => socket.shutdown(args.number(1)));
      case 'fcntl':
        return () => this.#fcntl(args);
      case 'ioctl':
        return () => this.#ioctl(args);
      case 'setsockopt':
        return () => setOptionCall(this.socketOf(args), call, args);
      case 'getsockopt':
        return () => getOptionCall(this.socketOf(args), call, args);
      case 'getsockname':
      case 'getpeername':
        return () => this.#name(call, args);
      default:
        return this.#transfer(call, args);
    }
  }

  #transfer(call: CallAction, args: Arguments): Attempt {
    switch (call.name) {
      case 'read':
      case 'readv':
      case 'recv':
      case 'recvfrom':
      case 'recvmsg':
        return receiveCall(this, call, args);
      case 'write':
      case 'writev':
      case 'send':
      case 'sendto':
      case 'sendmsg':
        return sendCall(this, call, args);
      case 'poll':
        return pollCall(this, args);
      case 'epoll_create':
      case 'epoll_create1':
        return () => epollCreate(this, call);
      case 'epoll_ctl':
        return () => epollControl(this, args);
      case 'epoll_wait':
        return epollWait(this, args);
      default:
        throw new UnsupportedFeature(`the system call ${call.name}()${because(call.name)}`);
    }
  }

  /** The socket that the first argument names; a negated errno: there is none. */
  socketOf(args: Arguments): SocketDescriptor | number {
    const descriptor = this.descriptors.get(args.number(0));
    if (descriptor === undefined) return -EBADF;
    return descriptor.kind === 'socket' ? descriptor : -ENOTSOCK;
  }

  #socket(call: CallAction, args: Arguments): number {
    const first = args.at(0);
    // `socket(..., SOCK_STREAM, IPPROTO_TCP)`: of the family under test.
    const family = first.kind === 'ellipsis' ? this.hooks.domain : numberOf(first);
    const type = args.number(1);
    const made = this.#target.socket(family, type & ~SOCK_FLAGS, args.numberOr(2, 0));
    if (typeof made !== 'number') return this.#open(made, expectedNumber(call), (type & SOCK_NONBLOCK) !== 0);
    if (expectsErrno(call, errnoName(-made))) return made;
    throw new UnsupportedFeature(`socket(${family}, ${type & ~SOCK_FLAGS}, ${args.numberOr(2, 0)})`);
  }

  #open(socket: TestSocket, number: number | undefined, nonBlocking: boolean): number {
    return this.descriptors.add(number, { kind: 'socket', socket, nonBlocking, written: 0 });
  }

  #bind(args: Arguments): number {
    return onSocket(this.socketOf(args), ({ socket }) => socket.bind(args.address(1) ?? this.hooks.local));
  }

  #listen(args: Arguments): number {
    return onSocket(this.socketOf(args), ({ socket }) => {
      const result = socket.listen(args.number(1));
      if (result === 0) this.hooks.listening(socket);
      return result;
    });
  }

  #accept(call: CallAction, args: Arguments): Attempt {
    const flags = call.name === 'accept4' ? args.number(3) : 0;
    return () => {
      const listener = this.socketOf(args);
      if (typeof listener === 'number') return listener;
      const made = listener.socket.accept();
      if (typeof made === 'number') return made === -EAGAIN && !listener.nonBlocking ? undefined : made;
      this.hooks.accepted(made);
      compareName(call, args, made.getpeername(), domainOf(made));
      return this.#open(made, expectedNumber(call), (flags & SOCK_NONBLOCK) !== 0);
    };
  }

  #connect(args: Arguments): Attempt {
    const to = args.address(1) ?? { ...this.hooks.remote, family: this.hooks.domain };
    let waiting = false;
    return () => {
      const descriptor = this.socketOf(args);
      if (typeof descriptor === 'number') return descriptor;
      const { socket } = descriptor;
      if (waiting) return connectOutcome(socket, to);
      if (to.family === AF_UNSPEC) return socket.disconnect();
      const result = socket.connect(to);
      // TCP_FASTOPEN_CONNECT: the SYN waits for a write.
      if (result === -EINPROGRESS || (result === 0 && isOpening(socket))) this.hooks.connecting(socket, to);
      if (result !== -EINPROGRESS || descriptor.nonBlocking) return result;
      waiting = true;
      return undefined;
    };
  }

  #close(args: Arguments): number {
    const descriptor = this.descriptors.get(args.number(0));
    if (descriptor === undefined) return -EBADF;
    this.descriptors.remove(args.number(0));
    return descriptor.kind === 'socket' ? descriptor.socket.close() : 0;
  }

  #fcntl(args: Arguments): number {
    return onSocket(this.socketOf(args), (descriptor) => {
      const command = args.number(1);
      if (command === symbol('F_GETFL')) return O_RDWR | (descriptor.nonBlocking ? O_NONBLOCK : 0);
      // Nothing is ever executed here that would inherit a descriptor.
      if (command === symbol('F_GETFD') || command === symbol('F_SETFD')) return 0;
      if (command !== symbol('F_SETFL')) throw new UnsupportedFeature(`fcntl() command ${command}`);
      descriptor.nonBlocking = (args.number(2) & O_NONBLOCK) !== 0;
      return 0;
    });
  }

  #ioctl(args: Arguments): number {
    return onSocket(this.socketOf(args), ({ socket }) => {
      const result = socket.ioctl(args.number(1));
      const expected = args.count > 2 ? args.boxed(2) : undefined;
      if (result < 0) return result;
      if (expected !== undefined && expected !== result) {
        throw new ScriptFailure(`ioctl() gives [${result}], not [${expected}]`);
      }
      return 0;
    });
  }

  #name(call: CallAction, args: Arguments): number {
    return onSocket(this.socketOf(args), ({ socket }) => {
      const name = call.name === 'getsockname' ? socket.getsockname() : socket.getpeername();
      if (typeof name === 'number') return name;
      compareName(call, args, name, domainOf(socket));
      return 0;
    });
  }
}

function domainOf(socket: TestSocket): number {
  return socket.getsockopt(SOL_SOCKET, SO_DOMAIN) as number;
}

function because(name: string): string {
  return Object.hasOwn(ABSENT, name) ? `: ${ABSENT[name]}` : '';
}

/** The address, and its length, that a call gives back: `{sa_family = AF_INET, sin_port = htons(80), ...}, [16]`. */
function compareName(call: CallAction, args: Arguments, name: SocketAddress | number, domain: number): void {
  if (typeof name === 'number') return;
  const expected = args.count > 1 ? args.address(1) : undefined;
  if (expected !== undefined && (!expected.address.equals(name.address) || expected.port !== name.port)) {
    throw new ScriptFailure(`${call.name}() gives ${name.address}:${name.port}`);
  }
  const length = args.count > 2 && args.at(2).kind === 'list' ? args.boxed(2) : undefined;
  const actual = SOCKADDR_LENGTHS[domain];
  if (length !== undefined && length !== actual) {
    throw new ScriptFailure(`${call.name}() gives an address of [${actual}] bytes, not [${length}]`);
  }
}

/** What a connect that waited comes to. */
function connectOutcome(socket: TestSocket, to: SocketAddress): number | undefined {
  if (socket.poll() === 0) return undefined;
  const error = socket.getsockopt(SOL_SOCKET, SO_ERROR) as number;
  return error === 0 ? socket.connect(to) : -error;
}
