/** poll and epoll. */
import { POLLERR, POLLHUP, SIOCINQ } from '../socket/constants.ts';
import { EBADF, EEXIST, EINVAL, ENOENT } from '../socket/errno.ts';
import { type Arguments, field, numberOf } from './arguments.ts';
import { type Attempt, type Caller, expectedNumber } from './call-support.ts';
import type { Watch } from './descriptors.ts';
import { ScriptFailure, UnsupportedFeature } from './errors.ts';
import type { CallAction, Expression } from './script.ts';
import { symbol } from './symbols.ts';

/** Reported whether asked for or not. */
const ALWAYS = POLLERR | POLLHUP;
/** The same readiness by its System V names. */
const RDNORM = symbol('POLLRDNORM') as number;
const WRNORM = symbol('POLLWRNORM') as number;
const EDGE = symbol('EPOLLET') as number;
const ONE_SHOT = symbol('EPOLLONESHOT') as number;

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

/** `epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN|EPOLLET, fd=4})`. */
export function epollControl(calls: Caller, args: Arguments): number {
  const epoll = calls.descriptors.get(args.number(0));
  if (epoll === undefined) return -EBADF;
  if (epoll.kind !== 'epoll') return -EINVAL;
  const [command, fd] = [args.number(1), args.number(2)];
  const known = epoll.watched.has(fd);
  if (calls.descriptors.get(fd) === undefined) return -EBADF;
  if (command === symbol('EPOLL_CTL_ADD') ? known : !known) return known ? -EEXIST : -ENOENT;
  if (command === symbol('EPOLL_CTL_DEL')) epoll.watched.delete(fd);
  else epoll.watched.set(fd, { events: numberField(args.at(3), 'events'), mask: 0, readable: 0, fresh: true });
  return 0;
}

/** `epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 1`. */
export function epollWait(calls: Caller, args: Arguments): Attempt {
  return waits(calls, args.number(3), () => {
    const epoll = calls.descriptors.get(args.number(0));
    if (epoll?.kind !== 'epoll') throw new ScriptFailure(`epoll_wait(): ${args.number(0)} is no epoll descriptor`);
    lookForEdges(calls);
    const found = [...epoll.watched]
      .map(([fd, watch]) => ({ fd, watch, mask: reportable(calls, fd, watch) }))
      .filter(({ mask }) => mask !== 0)
      .slice(0, args.number(2));
    for (const { watch } of found) {
      watch.fresh = false;
      if ((watch.events & ONE_SHOT) !== 0) watch.events = 0;
    }
    return { count: found.length, check: () => checkEvents(args.at(1), found) };
  });
}

function reportable(calls: Caller, fd: number, watch: Watch): number {
  if (watch.events === 0 || ((watch.events & EDGE) !== 0 && !watch.fresh)) return 0;
  return readiness(calls, fd, watch.events);
}

/** An edge: something is ready that was not, or there is more to read. Called whenever something may have changed. */
export function lookForEdges(calls: Caller): void {
  for (const { watched } of calls.descriptors.epolls()) {
    for (const [fd, watch] of watched) {
      const descriptor = calls.descriptors.get(fd);
      if ((watch.events & EDGE) === 0 || descriptor?.kind !== 'socket') continue;
      const mask = readiness(calls, fd, watch.events);
      const readable = descriptor.socket.ioctl(SIOCINQ);
      if ((mask & ~watch.mask) !== 0 || readable > watch.readable) watch.fresh = true;
      watch.mask = mask;
      watch.readable = readable;
    }
  }
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
