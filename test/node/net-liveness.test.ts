/** What of net keeps a process alive, and what does not. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import { createNet, type HostNet } from '../../src/node/net/net.ts';
import type { Socket } from '../../src/node/net/socket.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';

/** What a case may use: a server that holds nothing, and the ends of a connection of its. */
interface Ground {
  readonly net: HostNet;
  connect(): Promise<readonly [here: Socket, there: Socket]>;
  /** Lets what was set off happen. */
  settle(): Promise<void>;
}

const CASES: [what: string, held: boolean, set: (ground: Ground) => unknown][] = [
  ['a server', true, ({ net }) => net.createServer().listen(81)],
  ['a server that is unref, before it listens', false, ({ net }) => net.createServer().unref().listen(81)],
  ['a server that is unref, after', false, ({ net }) => net.createServer().listen(81).unref()],
  ['a server that is ref again', true, ({ net }) => net.createServer().listen(81).unref().ref()],
  ['a server that is closed', false, ({ net }) => net.createServer().listen(81).close()],
  ['sockets that are open: they read', true, ({ connect }) => connect()],
  ['one of them', true, async ({ connect }) => (await connect())[1].unref()],
  ['sockets that are unref', false, async ({ connect }) => (await connect()).forEach((one) => void one.unref())],
  ['a socket that waits for nothing', false, ({ net }) => new net.Socket()],
  ['a socket that connects', true, ({ net }) => net.connect(80, '127.0.0.1')],
  ['a socket that connects, and is unref', false, ({ net }) => net.connect(80, '127.0.0.1').unref()],
  ['sockets that are destroyed', false, async ({ connect }) => (await connect()).forEach((one) => void one.destroy())],
  [
    'a socket whose peer has ended, which it has not yet',
    false,
    async ({ connect, settle }) => {
      const [here, there] = await connect();
      there.allowHalfOpen = true;
      here.end();
      there.resume();
      await settle();
      here.unref();
      expect(there.readyState).to.equal('writeOnly');
    },
  ],
  [
    'a write that waits for its reader',
    true,
    async ({ connect, settle }) => {
      const [here, there] = await connect();
      there.pause().unref();
      here.pause();
      here.write(Buffer.alloc(64_000_000));
      await settle();
    },
  ],
];

describe('net and the life of a process', () => {
  for (const [what, held, set] of CASES) {
    it(`${what}: ${held ? 'keeps it alive' : 'does not'}`, async () => {
      const clock = new VirtualClock();
      const host = createHost({ loopback: true, clock, seed: 1 });
      const net = createNet(host);
      const server = net.createServer().unref().listen(80);
      const connect = async () => {
        const here = net.connect(80, '127.0.0.1');
        const both = Promise.all([once(server, 'connection'), once(here, 'connect')]);
        return [here, (await clock.run({ until: both }))[0][0] as Socket] as const;
      };
      const settle = () => clock.advance(100);
      const made = await set({ net, connect, settle });
      const connecting = made instanceof net.Socket && made.connecting;
      if (connecting) await new Promise(process.nextTick);
      else await settle();
      expect(clock.pending.held > 0).to.equal(held);
      await host.close({ timeout: 0 });
      expect(clock.pending.held, 'when it is closed').to.equal(0);
    });
  }

  it('a listener that throws does not stop the others', async () => {
    const index = new URL('../../src/node.js', import.meta.url).href;
    const script = `
      import { createHost, createNet } from '${index}';
      const host = createHost({ loopback: true });
      const net = createNet(host);
      process.on('uncaughtException', (error) => console.log(error.message));
      let accepted = 0;
      net.createServer((socket) => {
        accepted++;
        socket.write(Buffer.alloc(40_000));
        throw new Error('a server');
      }).listen(80);
      let first = true;
      const callback = () => {
        if (!first) return true;
        first = false;
        throw new Error('a reader');
      };
      const socket = net.connect({ port: 80, host: '127.0.0.1', onread: { buffer: Buffer.alloc(4096), callback } });
      socket.on('connect', () => socket.pause());
      net.connect(80, '127.0.0.1').pause();
      // When all is there nothing will come any more that tells of it.
      const until = (ready, then) => setImmediate(() => (ready() ? then() : until(ready, then)));
      const queued = ({ local, recvQ }) => local.endsWith(':' + socket.localPort) && recvQ === 40_000;
      until(() => host.sockets().some(queued), () => {
        socket.resume();
        until(() => socket.bytesRead === 40_000 && accepted === 2, () => process.exit());
      });
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout.trim().split('\n').sort()).to.deep.equal(['a reader', 'a server', 'a server']);
  });

  it('a process ends when its server is closed, and its host is not', async () => {
    const index = new URL('../../src/node.js', import.meta.url).href;
    const script = `
      import { createHost, createNet } from '${index}';
      const net = createNet(createHost({ loopback: true }));
      const server = net.createServer((socket) => socket.end('bye')).listen(80);
      net.connect(80).setEncoding('utf8').on('data', console.log).on('end', () => server.close());
      server.on('close', () => console.log('closed'));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout).to.equal('bye\nclosed\n');
  });
});
