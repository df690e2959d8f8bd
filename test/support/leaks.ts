/**
 * What tests leave behind: a host that a test of net/, node/, web/ or udp/ made has given back all when it is closed: memory of packets, timers, ports,
 * entries of tables, and holds on the process. Loaded by scripts/test.mjs.
 */
import { Stack } from '../../src/stack/stack.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';

const WATCHED = /\/test\/(net|node|web|udp)\/|\/test\/host\.test\./;

const stacks = new Set<Stack>();

/** Ports of UDP that were still taken when a stack was closed: it clears their table itself. */
const taken = new WeakMap<Stack, number>();

/** Everybody who makes a host asks for its interfaces: there they are seen. */
function watch(): void {
  const { close } = Stack.prototype;
  Stack.prototype.close = function (this: Stack, ...options) {
    if (!this.closed) taken.set(this, this.udp.table.size);
    close.apply(this, options);
  };
  const { get } = Object.getOwnPropertyDescriptor(Stack.prototype, 'interfaces') as { get(this: Stack): unknown };
  Object.defineProperty(Stack.prototype, 'interfaces', {
    configurable: true,
    get(this: Stack) {
      stacks.add(this);
      return get.call(this);
    },
  });
}

/** What a stack that is closed still has. */
function left(stack: Stack): Record<string, number> {
  const { slab, tcp, ports, demux, udp, clock } = stack;
  // Where the test did not close the host there may be sockets, and calls that wait on them: they end with the host, not with its stack.
  const { closed } = stack;
  const virtual = closed && clock instanceof VirtualClock ? clock.pending : undefined;
  stack.close();
  return {
    'chunks of packets': slab.live,
    'timers of connections': tcp.timers.size + tcp.idleTimers.size,
    'ports of TCP': closed ? ports.size : 0,
    'entries of the demultiplexer': demux.size,
    'ports of UDP': closed ? (taken.get(stack) ?? 0) : 0,
    'queues of datagrams': udp.pool.live,
    sockets: stack.sockets().length,
    'SYNs of a forwarder': closed ? (stack.pendingSyns?.size ?? 0) : 0,
    'holds on the process': virtual?.held ?? 0,
    'timers of the clock': virtual?.foreground ?? 0,
  };
}

/** Who listens to the process: an `exit`, a `SIGINT`, ... */
const listeners = () => process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
let listenersBefore = 0;

/** All that is wrong with the hosts of a test, and what it left with the process. */
function leaks(): string[] {
  const counts = [...stacks].map(left);
  return [...counts, { 'listeners of the process': Math.max(listeners() - listenersBefore, 0) }].flatMap((one) =>
    Object.entries(one)
      .filter(([, count]) => count !== 0)
      .map(([what, count]) => `${count} ${what}`),
  );
}

watch();

/** What was found, a line for each test: told at the end, as a hook that fails would keep the other tests from running. */
const found: string[] = [];

export const mochaHooks: Mocha.RootHookObject = {
  beforeEach() {
    stacks.clear();
    listenersBefore = listeners();
  },
  afterEach(this: Mocha.Context) {
    const test = this.currentTest;
    if (!WATCHED.test(test?.file ?? '') || test?.state !== 'passed') return;
    const these = leaks();
    if (these.length > 0) found.push(`${test.fullTitle()}: ${these.join(', ')}`);
  },
  afterAll() {
    if (found.length > 0) throw new Error(`left behind by\n  ${found.join('\n  ')}`);
  },
};
