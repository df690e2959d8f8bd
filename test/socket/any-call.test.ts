/** Any call at any moment, on any socket: a result or an errno, never an exception; and when all is closed nothing is left. */
import { expect } from 'chai';
import fc from 'fast-check';
import { createSocket } from '../../src/socket/create-socket.ts';
import { errnoName } from '../../src/socket/errno.ts';
import { Socket } from '../../src/socket/socket.ts';
import { Stack } from '../../src/stack/stack.ts';
import { seededRandom } from '../../src/time/random.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { IPV4_ANY, IPV4_LOOPBACK, IpAddress } from '../../src/wire/address.ts';

const RUNS = 150;
const CALLS = 60;
const ADDRESSES = [
  IPV4_LOOPBACK,
  IPV4_ANY,
  IpAddress.v4(0x0a000002),
  IpAddress.v4(0x7f000002),
  IpAddress.v6(0, 0, 0, 1),
];

const value = fc.oneof(fc.constantFrom(0, 1, -1, 5, 88, 1000, 65_536), fc.integer(), fc.double());
const at = fc.record({ address: fc.constantFrom(...ADDRESSES), port: fc.constantFrom(0, 80, 81, 82, -1, 70_000) });
const call = fc.record({
  socket: fc.nat(7),
  name: fc.constantFrom(
    'socket',
    'bind',
    'listen',
    'accept',
    'connect',
    'connect',
    'send',
    'sendv',
    'recv',
    'shutdown',
    'close',
    'setsockopt',
    'getsockopt',
    'names',
    'poll',
    'wait',
  ),
  at,
  value,
  level: fc.constantFrom(1, 6, 0, 41),
  option: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer()),
  flags: fc.constantFrom(0, 0, 0, 1, 2, 0x8000, -1),
  linger: fc.boolean(),
});
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

describe('sockets: any call', () => {
  it(`${RUNS * CALLS} calls`, async function () {
    this.timeout(60_000);
    const property = fc.asyncProperty(fc.array(call, { minLength: CALLS, maxLength: CALLS }), play);
    await fc.assert(property, { numRuns: RUNS, seed: 1003 });
  });
});

async function play(calls: readonly Call[]): Promise<void> {
  const clock = new VirtualClock();
  const stack = new Stack({ clock, random: seededRandom(1) });
  const sockets: Socket[] = [];
  for (const each of calls) {
    if (each.name === 'wait') await clock.advance(Math.abs(Math.trunc(each.value)) % 3000 || 1);
    else for (const result of perform(each, stack, sockets)) check(result, each.name);
  }
  for (const socket of sockets) socket.close();
  // Every FIN-WAIT-2, TIME-WAIT and retransmission is over by then.
  await clock.advance(3_600_000);
  expect(stack.sockets()).to.deep.equal([]);
  expect(stack.ports.size).to.equal(0);
  expect(stack.slab.live).to.equal(0);
  expect(stack.idle).to.equal(true);
}

/** @returns what the call gave */
function perform(each: Call, stack: Stack, sockets: Socket[]): unknown[] {
  if (each.name === 'socket' || sockets.length === 0) {
    const socket = createSocket(stack, 2, 1, 0);
    if (socket instanceof Socket) sockets.push(socket);
    return [];
  }
  const socket = sockets[each.socket % sockets.length] as Socket;
  const size = Math.abs(Math.trunc(each.value)) % 100_000 || 0;
  switch (each.name) {
    case 'accept': {
      const accepted = socket.accept();
      if (accepted instanceof Socket) sockets.push(accepted);
      return accepted instanceof Socket ? [] : [accepted];
    }
    case 'bind':
      return [socket.bind(each.at)];
    case 'connect':
      return [socket.connect(each.at)];
    case 'listen':
      return [socket.listen(each.value)];
    case 'send':
      return [socket.send(new Uint8Array(size), each.flags)];
    case 'sendv':
      return [socket.sendv([new Uint8Array(size), new Uint8Array(0), new Uint8Array(3)], each.flags)];
    case 'recv':
      return [socket.recv(new Uint8Array(size), each.flags)];
    case 'shutdown':
      return [socket.shutdown(each.option)];
    case 'close':
      return [socket.close()];
    case 'setsockopt':
      return [socket.setsockopt(each.level, each.option, each.linger ? { onoff: 1, linger: each.value } : each.value)];
    case 'getsockopt':
      return [socket.getsockopt(each.level, each.option)].filter((got) => typeof got === 'number');
    case 'poll':
      return [socket.poll()];
    default:
      return [socket.getsockname(), socket.getpeername()].filter((name) => typeof name !== 'object');
  }
}

function check(result: unknown, name: string): void {
  if (typeof result !== 'number' || !Number.isInteger(result)) throw new Error(`${name} gave ${result}`);
  if (result < -1 && !/^E[A-Z]/.test(errnoName(-result))) throw new Error(`${name} gave ${result}, which is no errno`);
}
