/** Ours beside Node's own: the same scenes, the same listings. Node's run over the machine's 127.0.0.1. */
import * as machine from 'node:net';
import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import { createNet } from '../../src/node/net/net.ts';
import { wrongCalls } from './net-arguments.ts';
import { contexts } from './net-contexts.ts';
import { endings, newer, servers } from './net-endings.ts';
import { type AnyNet, type Scene, Stage, talk } from './net-scenes.ts';

const MAJOR = Number.parseInt(process.versions.node, 10);

async function play(scene: Scene, net: AnyNet): Promise<unknown> {
  const stage = new Stage();
  try {
    const more = await scene(net, stage);
    return structuredClone([stage.log, more]);
  } finally {
    stage.close();
  }
}

function outcome(call: (net: AnyNet) => unknown, net: AnyNet): unknown {
  try {
    const made = call(net);
    if (made instanceof machine.Socket || made instanceof net.Socket) made.on('error', () => {}).destroy();
    return 'nothing thrown';
  } catch (error) {
    const { name, message, code, stack } = error as Error & { code?: string };
    return { name, message, code, text: String(error), stack: stack?.split('\n')[0] };
  }
}

describe('net on a host, beside node:net', () => {
  let host: Host;
  let net: AnyNet;

  beforeEach(() => {
    host = createHost();
    net = createNet(host) as unknown as AnyNet;
  });

  afterEach(async () => {
    await host.close();
    expect(host.sockets()).to.deep.equal([]);
  });

  for (const [part, scenes] of Object.entries({
    talk,
    endings,
    servers,
    contexts,
    ...(MAJOR >= 22 ? { newer } : {}),
  })) {
    describe(part, () => {
      for (const [title, scene] of Object.entries(scenes)) {
        it(title, async () => {
          expect(await play(scene, net)).to.deep.equal(await play(scene, machine));
        });
      }
    });
  }

  describe('wrong arguments', () => {
    it('a backlog that is no number throws at once, and no port is taken', () => {
      const server = net.createServer();
      for (const backlog of [Symbol('s'), Object.create(null)])
        expect(() => server.listen({ port: 80, backlog: backlog as never })).to.throw(TypeError);
      server.listen({ port: 80, backlog: 5n as never });
      expect(server.listening).to.equal(true);
      server.close();
    });

    it('a block list that is nothing stands in nobody’s way', async () => {
      const server = net.createServer({ blockList: 0 } as never, (socket) => socket.end('x')).listen(81);
      const socket = net.connect({ port: 81, host: '127.0.0.1', blockList: '' } as never);
      await new Promise((resolve) => socket.resume().on('close', resolve));
      expect(socket.bytesRead).to.equal(1);
      server.close();
    });

    for (const [title, call] of Object.entries(wrongCalls)) {
      it(title, () => {
        expect(outcome(call, net)).to.deep.equal(outcome(call, machine));
      });
    }
  });
});
