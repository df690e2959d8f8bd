/** write, writev, send, sendto and sendmsg. */
import {
  IPPROTO_TCP,
  MSG_DONTWAIT,
  MSG_FASTOPEN,
  POLLERR,
  POLLHUP,
  POLLOUT,
  SO_ERROR,
  SOL_SOCKET,
  TCP_INFO,
} from '../socket/constants.ts';
import { EAGAIN, EFAULT, EINPROGRESS, EOPNOTSUPP } from '../socket/errno.ts';
import type { SocketAddress } from '../socket/socket.ts';
import { type Arguments, field, isNull, vectorOf } from './arguments.ts';
import { type Attempt, type Caller, expectsErrno } from './call-support.ts';
import type { SocketDescriptor } from './descriptors.ts';
import { ScriptFailure, UnsupportedFeature } from './errors.ts';
import type { CallAction, Expression } from './script.ts';
import { CODE_CONSTANTS } from './symbols.ts';
import type { TestSocket } from './target.ts';

/** What is to be sent: the lengths of its buffers, MSG_..., and to whom. */
interface Message {
  readonly lengths: readonly number[];
  readonly flags: number;
  readonly to: SocketAddress | undefined;
}

/** A write that waits goes on until all is taken; one that opens the connection (MSG_FASTOPEN) waits for the handshake, too. */
export function sendCall(calls: Caller, call: CallAction, args: Arguments): Attempt {
  const { lengths, flags, to } = messageOf(calls, call, args);
  const all = total(lengths);
  let taken = 0;
  let opening = false;
  let full = false;
  const nowhere = call.name !== 'sendmsg' && call.name !== 'writev' && all > 0 && isNull(args.at(1));
  return () => {
    const descriptor = calls.socketOf(args);
    if (typeof descriptor === 'number') return descriptor;
    const { socket } = descriptor;
    if (opening) {
      if (socket.poll() === 0) return undefined;
      const error = socket.getsockopt(SOL_SOCKET, SO_ERROR) as number;
      if (error !== 0) return -error;
      if (taken >= all) return taken;
    }
    // Who waits for room is woken when poll() would say so: not by the first byte of it.
    if (full && (socket.poll() & (POLLOUT | POLLERR | POLLHUP)) === 0) return undefined;
    if (nowhere) return unreadable(socket.send(new Uint8Array(0), flags));
    const buffers = taken === 0 ? lengths : [all - taken];
    const result = transfer(calls, descriptor, buffers, opening ? flags & ~MSG_FASTOPEN : flags, to);
    if (result === -EOPNOTSUPP && flags !== 0 && !expectsErrno(call, 'EOPNOTSUPP')) {
      throw new UnsupportedFeature(`${call.name}() with the flags ${flagNames(call)}`);
    }
    taken += Math.max(result, 0);
    const waits = !descriptor.nonBlocking && (flags & MSG_DONTWAIT) === 0;
    opening = waits && (result >= 0 || result === -EINPROGRESS) && isOpening(socket);
    if ((opening && taken < all) || (result === -EAGAIN && waits)) socket.awaitWrite();
    if (opening) return undefined;
    full = waits && (result === -EAGAIN || (result > 0 && taken < all));
    if (taken >= all || !waits) return result < 0 && taken > 0 ? taken : result < 0 ? result : taken;
    return result >= 0 || result === -EAGAIN ? undefined : taken > 0 ? taken : result;
  };
}

/** There is nothing at that address to send: told to who may send at all. */
function unreadable(result: number): number {
  return result < 0 ? result : -EFAULT;
}

function transfer(
  { hooks }: Caller,
  descriptor: SocketDescriptor,
  lengths: readonly number[],
  flags: number,
  to: SocketAddress | undefined,
): number {
  const { socket } = descriptor;
  const before = stateOf(socket);
  const buffers = lengths.map((each) => new Uint8Array(each));
  const result =
    buffers.length === 1 ? socket.send(buffers[0] as Uint8Array, flags, to) : socket.sendv(buffers, flags, to);
  if (result > 0) descriptor.written += result;
  // MSG_FASTOPEN connects.
  const began = (result >= 0 || result === -EINPROGRESS) && before !== TCP_SYN_SENT && isOpening(socket);
  if (began && to !== undefined) hooks.connecting(socket, to);
  return result;
}

function messageOf({ hooks }: Caller, { name }: CallAction, args: Arguments): Message {
  if (name === 'write' || name === 'writev') {
    return { lengths: name === 'write' ? [args.number(2)] : args.vector(1), flags: 0, to: undefined };
  }
  if (name !== 'sendmsg') {
    const to = name === 'sendto' && args.count > 4 ? recipient(args.at(4), args, hooks.remote) : undefined;
    return { lengths: [args.number(2)], flags: args.numberOr(3, 0), to };
  }
  const message = args.at(1);
  const control = field(message, 'msg_control');
  if (control !== undefined && control.kind !== 'ellipsis') {
    throw new UnsupportedFeature('control messages in sendmsg()');
  }
  const to = field(message, 'msg_name');
  return {
    lengths: messageVector(message),
    flags: args.numberOr(2, 0),
    to: to === undefined ? undefined : recipient(to, args, hooks.remote),
  };
}

/** `...`: the peer under test. */
function recipient(name: Expression, args: Arguments, remote: SocketAddress): SocketAddress | undefined {
  if (name.kind === 'ellipsis') return remote;
  return name.kind === 'struct' ? args.addressOf(name) : undefined;
}

const { TCP_SYN_SENT } = CODE_CONSTANTS as { TCP_SYN_SENT: number };

/** Its SYN is not answered yet. */
export function isOpening(socket: TestSocket): boolean {
  return stateOf(socket) === TCP_SYN_SENT;
}

function stateOf(socket: TestSocket): number | undefined {
  const info = socket.getsockopt(IPPROTO_TCP, TCP_INFO);
  return typeof info === 'object' && 'tcpi_state' in info ? info.tcpi_state : undefined;
}

export function messageVector(message: Expression): number[] {
  const vector = field(message, 'msg_iov');
  if (vector === undefined)
    throw new ScriptFailure('a message is written {msg_name(...)=..., msg_iov(1)=[{..., 10}], msg_flags=0}');
  return vectorOf(vector);
}

export function total(lengths: readonly number[]): number {
  return lengths.reduce((sum, each) => sum + each, 0);
}

function flagNames({ args }: CallAction): string {
  const names = (each: Expression): string[] => {
    if (each.kind === 'or') return each.parts.flatMap(names);
    return each.kind === 'name' && each.name.startsWith('MSG_') ? [each.name] : [];
  };
  return args.flatMap(names).join(' | ') || 'given';
}
