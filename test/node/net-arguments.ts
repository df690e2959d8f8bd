/** Wrong arguments: what both modules throw for each. */
import type { AnyNet } from './net-scenes.ts';

type Any = never;

export const wrongCalls: Record<string, (net: AnyNet) => unknown> = {
  'connect()': (net) => (net.connect as () => unknown)(),
  'connect({})': (net) => net.connect({} as Any),
  'new Socket().connect()': (net) => (new net.Socket().connect as () => unknown).call(new net.Socket()),
  ...Object.fromEntries(
    ['', ' ', 'x', '0x', '-0x1', -1, 65_536, NaN, Infinity, 1.5, true, null, {}, [], () => {}].map((port) => [
      `connect({ port: ${JSON.stringify(port) ?? String(port)} })`,
      (net: AnyNet) => net.connect({ port: port as number, host: '127.0.0.1' }),
    ]),
  ),
  'connect({ localAddress })': (net) => net.connect({ port: 1, localAddress: 'nowhere' }),
  'connect({ localPort })': (net) => net.connect({ port: 1, localPort: 'x' as Any }),
  'connect({ lookup })': (net) => net.connect({ port: 1, host: 'some.test', lookup: 5 as Any }),
  'connect({ hints })': (net) => net.connect({ port: 1, hints: 4096, family: 4 }),
  'connect({ autoSelectFamily })': (net) => net.connect({ port: 1, autoSelectFamily: 'yes' as Any }),
  ...Object.fromEntries(
    [0, -1, 1.5, '10', 2 ** 40, NaN].map((timeout) => [
      `connect({ autoSelectFamilyAttemptTimeout: ${timeout} })`,
      (net: AnyNet) => net.connect({ port: 1, autoSelectFamilyAttemptTimeout: timeout as number }),
    ]),
  ),
  'connect({ path })': (net) => net.connect({ path: 5 as Any }),
  'connect({ signal })': (net) => net.connect({ port: 1, signal: 'now' as Any }),
  'Socket({ objectMode })': (net) => new net.Socket({ objectMode: true } as Any),
  'Socket({ readableObjectMode })': (net) => new net.Socket({ readableObjectMode: true } as Any),
  'Socket({ writableObjectMode })': (net) => new net.Socket({ writableObjectMode: true } as Any),
  'Socket({ keepAliveInitialDelay })': (net) => new net.Socket({ keepAliveInitialDelay: '1' } as Any),
  'Socket({ highWaterMark })': (net) => new net.Socket({ highWaterMark: -5 } as Any),
  'setTimeout(x)': (net) => new net.Socket().setTimeout('x' as Any),
  'setTimeout(-1)': (net) => new net.Socket().setTimeout(-1),
  'setTimeout(Infinity)': (net) => new net.Socket().setTimeout(Infinity),
  'setTimeout(1, 5)': (net) => new net.Socket().setTimeout(1, 5 as Any).setTimeout(0),
  'setTimeout(0, 5)': (net) => new net.Socket().setTimeout(0, 5 as Any),
  'write(5)': (net) => new net.Socket().write(5 as Any),
  'write(null)': (net) => new net.Socket().write(null as Any),
  'createServer(5)': (net) => net.createServer(5 as Any),
  'createServer({ keepAliveInitialDelay })': (net) => net.createServer({ keepAliveInitialDelay: 'x' } as Any),
  'createServer({ highWaterMark })': (net) => net.createServer({ highWaterMark: 'x' } as Any),
  ...Object.fromEntries(
    [
      -1,
      65_536,
      1.5,
      '',
      ' ',
      'x',
      NaN,
      true,
      {},
      { port: -1 },
      { port: true },
      { port: 'x' },
      { fd: -1 },
      { fd: '1' },
    ].map((given) => [
      `listen(${JSON.stringify(given)})`,
      (net: AnyNet) =>
        net
          .createServer()
          .on('error', () => {})
          .listen(given as Any)
          .close(),
    ]),
  ),
  ...Object.fromEntries(
    [5, 2n, true, Symbol('s'), {}, [], Object.create(null), () => {}].map((host, i) => [
      `listen({ host }) ${i}`,
      (net: AnyNet) => net.createServer().listen({ port: 0, host: host as Any }),
    ]),
  ),
  ...Object.fromEntries(
    [0, '', false, NaN].map((handle) => [
      `listen({ handle: ${JSON.stringify(handle)} })`,
      (net: AnyNet) =>
        net
          .createServer()
          .listen({ port: 0, host: '127.0.0.1', handle: handle as Any } as Any)
          .close(),
    ]),
  ),
  ...Object.fromEntries(
    [0, '', false, null, NaN].map((signal) => [
      `new Socket({ signal: ${JSON.stringify(signal)} })`,
      (net: AnyNet) => new net.Socket({ signal: signal as Any }),
    ]),
  ),
  ...Object.fromEntries(
    [1n, {}, [], [1], new Date(0), new Map()].map((localAddress, i) => [
      `connect({ localAddress }) ${i}`,
      (net: AnyNet) => net.connect({ port: 1, localAddress: localAddress as Any }),
    ]),
  ),
  ...Object.fromEntries(
    ['a\0b', "it's", `'${'a'.repeat(40)}`, 'a'.repeat(40), 10n ** 40n, Symbol('a'.repeat(40))].map((value, i) => [
      `createServer(a value to be shown) ${i}`,
      (net: AnyNet) => net.createServer(value as Any),
    ]),
  ),
  'connect({ family: null })': (net) => net.connect({ port: 1, host: 'localhost', family: null as Any }),
  'listen({ signal })': (net) => net.createServer().listen({ port: 0, signal: 5 as Any }),
  'setDefaultAutoSelectFamily(1)': (net) => net.setDefaultAutoSelectFamily(1 as Any),
  'setDefaultAutoSelectFamilyAttemptTimeout(0)': (net) => net.setDefaultAutoSelectFamilyAttemptTimeout(0),
};
