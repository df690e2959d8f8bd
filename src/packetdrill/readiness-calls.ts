/** poll and epoll. */
import { POLLERR, POLLHUP } from '../socket/constants.ts';
import { EBADF, EINVAL } from '../socket/errno.ts';
import { type Arguments, field, numberOf } from './arguments.ts';
import { type Attempt, type Caller, expectedNumber } from './call-support.ts';
import { ScriptFailure, UnsupportedFeature } from './errors.ts';
import type { CallAction, Expression } from './script.ts';
import { symbol } from './symbols.ts';

/** Reported whether asked for or not. */
const ALWAYS = POLLERR | POLLHUP;
/** The same readiness by its System V names. */
const RDNORM = symbol('POLLRDNORM') as number;
const WRNORM = symbol('POLLWRNORM') as number;
const UNSUPPORTED_EPOLL = (symbol('EPOLLET') as number) | (symbol('EPOLLONESHOT') as number);

/** `poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 0) = 1`. */
export function pollCall(calls: Caller, args: Arguments): Attempt {
  const list = args.at(0);
  if (list.kind !== 'list') throw new ScriptFailure('poll() wants [{fd=4, events=POLLIN, revents=0}]');
  return waits(calls, args.number(2), () => {
    const found = list.items.map((item) => readiness(calls, numberField(item, 'fd'), numberField(item, 'events')));
    const count = found.filter((mask) => mask !== 0).length;
    const check = () => {
      for (const [i, item] of list.items.entries()) compare(item, found[i] as number);
    };
    return { count, check };
  });
}

export function epollCreate(calls: Caller, call: CallAction): number {
  return calls.descriptors.add(expectedNumber(call), { kind: 'epoll', watched: new Map() });
}

/** `epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4})`. */
export function epollControl(calls: Caller, args: Arguments): number {
  const epoll = calls.descriptors.get(args.number(0));
  if (epoll === undefined) return -EBADF;
  if (epoll.kind !== 'epoll') return -EINVAL;
  const fd = args.number(2);
  if (args.number(1) === symbol('EPOLL_CTL_DEL')) {
    epoll.watched.delete(fd);
    return 0;
  }
  const events = numberField(args.at(3), 'events');
  if ((events & UNSUPPORTED_EPOLL) !== 0) throw new UnsupportedFeature('edge-triggered or one-shot epoll');
  epoll.watched.set(fd, events);
  return 0;
}

/** `epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 1`. */
export function epollWait(calls: Caller, args: Arguments): Attempt {
  return waits(calls, args.number(3), () => {
    const epoll = calls.descriptors.get(args.number(0));
    if (epoll?.kind !== 'epoll') throw new ScriptFailure(`epoll_wait(): ${args.number(0)} is no epoll descriptor`);
    const found = [...epoll.watched]
      .map(([fd, events]) => ({ fd, mask: readiness(calls, fd, events) }))
      .filter(({ mask }) => mask !== 0)
      .slice(0, args.number(2));
    return { count: found.length, check: () => checkEvents(args.at(1), found) };
  });
}

function checkEvents(expected: Expression, found: readonly { fd: number; mask: number }[]): void {
  const list = expected.kind === 'list' ? expected.items : expected.kind === 'struct' ? [expected] : [];
  for (const [i, { fd, mask }] of found.entries()) {
    const item = list[i];
    if (item === undefined) return;
    const events = field(item, 'events');
    if (events === undefined || events.kind === 'ellipsis' || numberOf(events) === mask) continue;
    throw new ScriptFailure(`epoll_wait() gives {events=0x${mask.toString(16)}, fd=${fd}}`);
  }
}

/** @param timeout ms; negative: for ever */
function waits(calls: Caller, timeout: number, look: () => { count: number; check: () => void }): Attempt {
  const end = timeout < 0 ? Infinity : calls.hooks.now() + timeout;
  if (timeout > 0) calls.hooks.alarm(end);
  return () => {
    const { count, check } = look();
    if (count === 0 && calls.hooks.now() < end) return undefined;
    check();
    return count;
  };
}

function readiness(calls: Caller, fd: number, events: number): number {
  const descriptor = calls.descriptors.get(fd);
  if (descriptor === undefined) return symbol('POLLNVAL') ?? 0x20;
  if (descriptor.kind !== 'socket') throw new UnsupportedFeature('polling anything but sockets');
  const mask = descriptor.socket.poll();
  const normal = ((mask & 1) !== 0 ? RDNORM : 0) | ((mask & 4) !== 0 ? WRNORM : 0);
  return (mask | normal) & (events | ALWAYS);
}

function compare(item: Expression, actual: number): void {
  const expected = field(item, 'revents');
  if (expected === undefined || expected.kind === 'ellipsis' || numberOf(expected) === actual) return;
  throw new ScriptFailure(`poll() gives revents 0x${actual.toString(16)} for descriptor ${numberField(item, 'fd')}`);
}

function numberField(structure: Expression, name: string): number {
  const value = field(structure, name);
  if (value === undefined) throw new ScriptFailure(`a structure lacks its field ${name}`);
  return numberOf(value);
}
