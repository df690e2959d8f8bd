/** read, readv, recv, recvfrom and recvmsg. */
import {
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_WAITALL,
  SO_RCVLOWAT,
  SO_RCVTIMEO,
  SOL_SOCKET,
  TCP_CM_INQ,
} from '../socket/constants.ts';
import { EAGAIN, EFAULT } from '../socket/errno.ts';
import type { Timeval } from '../socket/option-value.ts';
import { type Arguments, field, isNull, numberOf } from './arguments.ts';
import type { Attempt, Caller } from './call-support.ts';
import type { SocketDescriptor } from './descriptors.ts';
import { ScriptFailure, UnsupportedFeature } from './errors.ts';
import type { CallAction, Expression } from './script.ts';
import { messageVector, total } from './send-calls.ts';
import { symbol } from './symbols.ts';
import type { TestSocket } from './target.ts';

/** Bits of msg_flags that are compared. */
const TOLD = ['MSG_OOB', 'MSG_TRUNC', 'MSG_EOR', 'MSG_CTRUNC', 'MSG_ERRQUEUE'].reduce(
  (bits, name) => bits | (symbol(name) ?? 0),
  0,
);
const SOL_TCP = 6;

/** Waits, unless it must not, until there is what SO_RCVLOWAT or MSG_WAITALL ask for; or for SO_RCVTIMEO. */
export function receiveCall(calls: Caller, call: CallAction, args: Arguments): Attempt {
  if (call.name === 'recvmsg') return messageCall(calls, args);
  const length = call.name === 'readv' ? total(args.vector(1)) : args.number(2);
  const flags = call.name === 'read' || call.name === 'readv' ? 0 : args.numberOr(3, 0);
  const nowhere = length > 0 && isNull(args.at(1));
  return waiting(calls, args, length, flags, (socket, wanted) => {
    if (!nowhere) return socket.recv(new Uint8Array(wanted), flags);
    // What there is would go to an address where nothing can be: told once there is something.
    const there = socket.recv(new Uint8Array(1), flags | MSG_PEEK);
    return there > 0 ? -EFAULT : there;
  });
}

/** `recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 1000}], msg_flags=0, msg_control=[{cmsg_level=..., ...}]}, 0) = 1000`. */
function messageCall(calls: Caller, args: Arguments): Attempt {
  const message = args.at(1);
  const length = total(messageVector(message));
  const flags = args.numberOr(2, 0);
  return waiting(calls, args, length, flags, (socket, wanted) => {
    const got = socket.recvmsg([new Uint8Array(wanted)], flags);
    if (typeof got === 'number') return got;
    compareFlags(field(message, 'msg_flags'), got.flags);
    compareControl(field(message, 'msg_control'), got.inq);
    return got.length;
  });
}

function waiting(
  calls: Caller,
  args: Arguments,
  length: number,
  flags: number,
  receive: (socket: TestSocket, wanted: number) => number,
): Attempt {
  let taken = 0;
  let end: number | undefined;
  return () => {
    const descriptor = calls.socketOf(args);
    if (typeof descriptor === 'number') return descriptor;
    const { socket } = descriptor;
    const waits = !descriptor.nonBlocking && (flags & MSG_DONTWAIT) === 0;
    end ??= waits ? deadline(calls, socket) : -Infinity;
    const result = receive(socket, length - taken);
    if (result === 0) return taken;
    if (result < 0 && result !== -EAGAIN) return taken > 0 ? taken : result;
    if ((flags & MSG_PEEK) !== 0 && result > 0) return result;
    taken += Math.max(result, 0);
    if (result > 0 && taken >= enough(descriptor, length, flags)) return taken;
    return calls.hooks.now() < end ? undefined : taken > 0 ? taken : -EAGAIN;
  };
}

/** How many bytes a call waits for. */
function enough({ socket }: SocketDescriptor, length: number, flags: number): number {
  if ((flags & MSG_WAITALL) !== 0) return length;
  const lowat = socket.getsockopt(SOL_SOCKET, SO_RCVLOWAT);
  return Math.min(typeof lowat === 'number' ? Math.max(lowat, 1) : 1, length);
}

/** When SO_RCVTIMEO is over, ms since the start. */
function deadline({ hooks }: Caller, socket: TestSocket): number {
  const value = socket.getsockopt(SOL_SOCKET, SO_RCVTIMEO);
  const { sec, usec } = (typeof value === 'object' && 'usec' in value ? value : { sec: 0, usec: 0 }) as Timeval;
  const timeout = sec * 1000 + usec / 1000;
  if (timeout === 0) return Infinity;
  hooks.alarm(hooks.now() + timeout);
  return hooks.now() + timeout;
}

function compareFlags(expected: Expression | undefined, actual: number): void {
  if (expected === undefined || expected.kind === 'ellipsis') return;
  if ((numberOf(expected) & TOLD) === (actual & TOLD)) return;
  throw new ScriptFailure(
    `recvmsg() gives msg_flags 0x${actual.toString(16)}, not 0x${numberOf(expected).toString(16)}`,
  );
}

/** @param inq what TCP_INQ's control message says; undefined: there is none */
function compareControl(expected: Expression | undefined, inq: number | undefined): void {
  if (expected === undefined || expected.kind === 'ellipsis') return;
  const list = expected.kind === 'list' ? expected.items : [expected];
  const [first] = list;
  if (first === undefined) {
    if (inq === undefined) return;
    throw new ScriptFailure('recvmsg() gives a control message, TCP_CM_INQ');
  }
  const [level, type] = ['cmsg_level', 'cmsg_type'].map((name) => numberOf(needed(first, name)));
  if (list.length > 1 || level !== SOL_TCP || type !== TCP_CM_INQ) {
    throw new UnsupportedFeature('control messages of recvmsg() other than TCP_CM_INQ');
  }
  const wanted = numberOf(needed(first, 'cmsg_data'));
  if (inq !== wanted) throw new ScriptFailure(`recvmsg() gives ${inq ?? 'no'} bytes left (TCP_CM_INQ), not ${wanted}`);
}

function needed(structure: Expression, name: string): Expression {
  const value = field(structure, name);
  if (value === undefined)
    throw new ScriptFailure(`a control message is written {cmsg_level=..., cmsg_type=..., cmsg_data=...}`);
  return value;
}
