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
      const net = createNet(createHost({ loopback: true }));
      process.on('uncaughtException', (error) => console.log(error.message));
      let accepted = 0;
      const server = net.createServer({ pauseOnConnect: true }, (socket) => {
        socket.once('data', () => { throw new Error('a reader'); });
        // By then all is there, and nothing will come that tells of it.
        setTimeout(() => socket.resume(), 50);
        setTimeout(() => socket.destroy(console.log(socket.bytesRead)), 100);
        if (++accepted === 2) server.close();
        throw new Error('a server');
      }).listen(80, () => {
        for (let i = 0; i < 2; i++) net.connect(80, '127.0.0.1').write(Buffer.alloc(300_000));
      });
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    const lines = ['300000', '300000', 'a reader', 'a reader', 'a server', 'a server'];
    expect(stdout.trim().split('\n').sort()).to.deep.equal(lines);
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
