/** Scenes of connections that end in all ways, and of servers. */
import type * as machine from 'node:net';
import { type AnyNet, connected, event, listening, port, type Scene, type Stage } from './net-scenes.ts';

const ENDING = ['end', 'finish', 'error', 'close', 'connect', 'connectionAttempt', 'connectionAttemptFailed'];

/** A port that nobody listens on. */
async function free(net: AnyNet, stage: Stage): Promise<number> {
  const server = await listening(net, stage);
  const number = port(server);
  server.close();
  await event(server, 'close');
  return number;
}

/** A lookup that gives these. */
function giving(...addresses: [address: string, family: number][]) {
  return ((_name: string, options: { all?: boolean }, callback: (...args: unknown[]) => void) => {
    const [first] = addresses as [[string, number]];
    if (options.all)
      callback(
        null,
        addresses.map(([address, family]) => ({ address, family })),
      );
    else callback(null, ...first);
  }) as unknown as NonNullable<machine.TcpNetConnectOpts['lookup']>;
}

export const endings: Record<string, Scene> = {
  'nobody listens': async (net, stage) => {
    const socket = stage.add(net.connect({ port: await free(net, stage), host: '127.0.0.1' }));
    stage.watch('socket', socket, ...ENDING);
    await event(socket, 'close');
  },
  'nobody listens, and the local end is chosen': async (net, stage) => {
    const to = await free(net, stage);
    const other = await listening(net, stage);
    const from = stage.name(port(other), 'local');
    other.close();
    await event(other, 'close');
    const socket = net.connect({ port: to, host: '127.0.0.1', localAddress: '127.0.0.1', localPort: from });
    stage.watch('socket', socket, ...ENDING);
    await event(socket, 'close');
  },
  'a local address that is not ours': async (net, stage) => {
    const socket = net.connect({ port: await free(net, stage), host: '127.0.0.1', localAddress: '192.0.2.77' });
    stage.watch('socket', socket, ...ENDING);
    await event(socket, 'close');
  },
  'several addresses, none of which answers': async (net, stage) => {
    const lookup = giving(['127.0.0.1', 4], ['127.0.0.2', 4], ['127.0.0.1', 4]);
    const socket = net.connect({ port: await free(net, stage), host: 'some.test', lookup });
    stage.watch('socket', socket, ...ENDING, 'lookup');
    await event(socket, 'close');
    stage.note(socket.autoSelectFamilyAttemptedAddresses?.join());
  },
  'several addresses, the second of which answers': async (net, stage) => {
    const server = await listening(net, stage);
    server.on('connection', (socket) => socket.end());
    const lookup = giving(['127.0.0.9', 4], ['127.0.0.1', 4]);
    const socket = stage.add(net.connect({ port: port(server), host: 'some.test', lookup, noDelay: true }));
    stage.watch('socket', socket, ...ENDING, 'lookup');
    await event(socket, 'connect');
    stage.note(socket.remoteAddress, socket.autoSelectFamilyAttemptedAddresses?.join());
    socket.resume();
    await event(socket, 'close');
  },
  'lookups that fail, or give nonsense': async (net, stage) => {
    for (const [lookup, autoSelectFamily] of [
      [giving(['nonsense', 4]), true],
      [giving(['nonsense', 4]), false],
      [giving(['127.0.0.1', 7]), true],
      [giving(['127.0.0.1', 7]), false],
      [(_name: string, _options: unknown, callback: (error: Error) => void) => callback(new Error('no')), true],
      [(_name: string, _options: unknown, callback: (error: Error) => void) => callback(new Error('no')), false],
    ] as const) {
      const socket = net.connect({ port: 1, host: 'some.test', lookup: lookup as never, autoSelectFamily });
      stage.watch('socket', socket, 'lookup', 'error', 'close');
      await event(socket, 'close');
    }
  },
  'a reset': async (net, stage) => {
    const { here, there } = await connected(net, stage);
    stage.watch('client', here, ...ENDING);
    there.on('error', () => {});
    stage.note(there.resetAndDestroy() === there);
    await Promise.all([event(here, 'close'), event(there, 'close')]);
  },
  'a reset before there is a connection': async (net, stage) => {
    const server = await listening(net, stage);
    server.on('connection', (socket) => socket.on('error', () => {}));
    const socket = net.connect(port(server), '127.0.0.1');
    stage.watch('client', socket, 'connect', 'error', 'close');
    socket.resetAndDestroy();
    stage.note(socket.destroyed);
    await event(socket, 'close');
    const never = new net.Socket();
    stage.watch('never', never, 'error', 'close');
    never.resetAndDestroy();
    await event(never, 'close');
  },
  'a write when the peer has ended, and this side with it': async (net, stage) => {
    const { here, there } = await connected(net, stage);
    stage.watch('client', here, ...ENDING);
    here.resume();
    here.end();
    there.resume();
    here.once('end', () => stage.note(here.write('late', (error) => stage.note('callback', error))));
    await event(here, 'close');
  },
  'writes after the end, and after destroy': async (net, stage) => {
    const { here } = await connected(net, stage);
    stage.watch('client', here, ...ENDING);
    here.end();
    stage.note(here.write('late', (error) => stage.note('callback', error)));
    await event(here, 'close');
    stage.note(here.write('later', (error) => stage.note('callback', error)));
    await new Promise(setImmediate);
  },
  'destroyed while it connects, with something written': async (net, stage) => {
    const server = await listening(net, stage);
    const socket = net.connect(port(server), '127.0.0.1');
    stage.watch('client', socket, ...ENDING);
    socket.write('never', (error) => stage.note('callback', error));
    stage.note(socket.bytesWritten, socket.destroy() === socket, socket.connecting);
    await event(socket, 'close');
  },
  'destroyed with an error': async (net, stage) => {
    const { here } = await connected(net, stage);
    stage.watch('client', here, ...ENDING);
    here.destroy(new Error('of our own'));
    stage.note(here.destroyed, here.readyState);
    await event(here, 'close');
  },
  'destroyed when all is written': async (net, stage) => {
    const { here, there } = await connected(net, stage);
    stage.watch('client', here, ...ENDING);
    let got = 0;
    there.on('data', (bytes: Buffer) => {
      got += bytes.length;
    });
    here.write(Buffer.alloc(3_000_000));
    here.destroySoon();
    await Promise.all([event(here, 'close'), event(there, 'end')]);
    stage.note(got);
  },
  'ended before it was connected, and connected again': async (net, stage) => {
    const server = await listening(net, stage);
    server.on('connection', (socket) => socket.resume());
    const socket = stage.add(net.connect(port(server), '127.0.0.1'));
    stage.watch('client', socket, ...ENDING);
    socket.resume();
    socket.end('bye');
    await event(socket, 'close');
    socket.connect(port(server), '127.0.0.1');
    stage.note(socket.connecting, socket.destroyed, socket.readyState);
    await event(socket, 'connect');
    stage.note(socket.write('again'));
    socket.end();
    await event(socket, 'close');
  },
  'a signal that aborts': async (net, stage) => {
    const server = await listening(net, stage);
    const controller = new AbortController();
    const socket = net.connect({ port: port(server), host: '127.0.0.1', signal: controller.signal });
    stage.watch('client', socket, ...ENDING);
    await event(socket, 'connect');
    controller.abort();
    await event(socket, 'close');
    const early = net.connect({ port: port(server), host: '127.0.0.1', signal: AbortSignal.abort() });
    stage.watch('early', early, ...ENDING);
    await event(early, 'close');
  },
  'a signal that was aborted before several addresses were found': async (net, stage) => {
    const server = await listening(net, stage);
    const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
    const lookup = (_name: string, _options: unknown, done: (error: null, list: unknown) => void) =>
      process.nextTick(done, null, addresses);
    const signal = AbortSignal.abort();
    const nowhere = net.connect({
      port: port(server),
      host: 'two.test',
      autoSelectFamily: true,
      lookup,
      signal,
    } as never);
    stage.watch('nowhere', nowhere, 'connectionAttempt', ...ENDING);
    await event(nowhere, 'close');
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    nowhere.destroy();
  },
};

/** What Node has since 22. */
export const newer: Record<string, Scene> = {
  'destroyed while writes wait': async (net, stage) => {
    const { here, there } = await connected(net, stage);
    stage.watch('client', here, ...ENDING);
    there.on('error', () => {}).pause();
    here.write(Buffer.alloc(32_000_000), (error) => stage.note('first', error));
    here.write('more', (error) => stage.note('second', error));
    await new Promise((resolve) => setTimeout(resolve, 10));
    here.destroy();
    await event(here, 'close');
    stage.note(here.bytesWritten);
  },
};

export const servers: Record<string, Scene> = {
  'what a server is': async (net, stage) => {
    const server = stage.add(net.createServer());
    stage.watch('server', server, 'listening', 'close', 'error');
    stage.note(server.listening, server.address(), server.maxConnections);
    stage.note(server.listen(0, '127.0.0.1', 5, () => stage.note('callback')) === server, server.listening);
    await event(server, 'listening');
    stage.name(port(server), 'server');
    stage.note(server.listening, server.address());
    server.getConnections((error, count) => stage.note('connections', error, count));
    stage.note(server.close((error) => stage.note('closed', error)) === server, server.listening, server.address());
    await event(server, 'close');
    server.close((error) => stage.note('closed again', error));
    await event(server, 'close');
  },
  'a port that is taken': async (net, stage) => {
    const server = await listening(net, stage);
    const other = net.createServer();
    stage.watch('other', other, 'listening', 'close', 'error');
    other.listen(port(server), '127.0.0.1');
    await event(other, 'error');
    stage.note(other.listening);
    other.listen({ port: 1, host: '192.0.2.77' });
    await event(other, 'error');
  },
  'connections beyond the most': async (net, stage) => {
    const { server, here } = await connected(net, stage);
    server.maxConnections = 1;
    const second = stage.add(net.connect(port(server), '127.0.0.1'));
    stage.watch('second', second, 'error', 'close');
    const dropped = event(server, 'drop');
    await event(second, 'connect');
    stage.name(second.localPort, 'second');
    stage.note(await dropped);
    second.resume();
    await event(second, 'close');
    here.destroy();
  },
  'a server that closes waits for its connections': async (net, stage) => {
    const { server, here, there } = await connected(net, stage);
    stage.watch('server', server, 'close');
    server.close();
    stage.note(server.listening, (there as unknown as { server: unknown }).server === server);
    await new Promise((resolve) => setTimeout(resolve, 10));
    stage.note('waits');
    here.destroy();
    there.resume();
    await event(server, 'close');
  },
  'a signal closes it': async (net, stage) => {
    const controller = new AbortController();
    const server = net.createServer();
    stage.watch('server', server, 'listening', 'close');
    server.listen({ port: 0, host: '127.0.0.1', signal: controller.signal });
    await event(server, 'listening');
    controller.abort();
    await event(server, 'close');
  },
  'the port is there at once, unless a host is named': async (net, stage) => {
    const server = net.createServer().listen(0);
    stage.note((server.address() as machine.AddressInfo).port > 0);
    server.close();
    await event(server, 'close');
    const named = net.createServer().listen(0, '127.0.0.1');
    stage.note(named.address());
    named.close();
    await event(named, 'close');
  },
};
