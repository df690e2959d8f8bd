/** Scenes of who sees what first, and in whose context. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { connected, event, listening, port, type Scene } from './net-scenes.ts';

export const contexts: Record<string, Scene> = {
  'a connection is accepted before its client knows of it': async (net, stage) => {
    const server = await listening(net, stage);
    const socket = stage.add(net.connect(port(server), '127.0.0.1'));
    server.on('connection', () => stage.note('connection'));
    socket.on('connect', () => stage.note('connect'));
    await event(socket, 'connect');
    const second = stage.add(net.connect(port(server), '127.0.0.1', () => server.close()));
    stage.watch('second', second, 'end', 'error', 'close');
    await event(second, 'connect');
    await new Promise((resolve) => setTimeout(resolve, 10));
  },
  'what was written goes out before a reset': async (net, stage) => {
    for (const unread of [false, true]) {
      const { here, there } = await connected(net, stage, { pauseOnConnect: true });
      const closed = event(here, 'close');
      here.on('data', (bytes) => stage.note('got', bytes));
      here.on('error', () => {});
      here.write('not read');
      await new Promise((resolve) => setTimeout(resolve, 10));
      there.write('last words');
      if (unread) there.destroy();
      else there.resetAndDestroy();
      await closed;
    }
  },
  "AsyncLocalStorage: a client is its own, what is accepted is nobody's": async (net, stage) => {
    const storage = new AsyncLocalStorage<string>();
    const note = (what: string) => () => stage.note(what, storage.getStore());
    const server = await storage.run('server', () => listening(net, stage));
    server.on('connection', (socket) => {
      note('connection')();
      socket.on('data', () => {
        note('server data')();
        socket.end('answer');
      });
      for (const name of ['end', 'close']) socket.on(name, note(`server ${name}`));
    });
    const done = storage.run('client', () => {
      const socket = stage.add(net.connect(port(server), '127.0.0.1'));
      for (const name of ['connect', 'data', 'end', 'close', 'timeout']) socket.on(name, note(name));
      socket.once('connect', () => storage.run('timer', () => socket.setTimeout(10)));
      socket.once('timeout', () => {
        socket.setTimeout(0);
        storage.run('other', () => socket.write('question', note('written')));
      });
      return event(socket, 'close');
    });
    await done;
    server.close();
    await event(server, 'close');
    // What each saw, in its own order.
    stage.log.sort();
  },
  'AsyncLocalStorage: a write that waits calls back in its own': async (net, stage) => {
    const storage = new AsyncLocalStorage<string>();
    const opened = storage.run('opener', () => connected(net, stage, { pauseOnConnect: true }));
    const { here, there } = await opened;
    const written = new Promise<void>((resolve) => {
      storage.run('writer', () =>
        here.write(Buffer.alloc(12_000_000), () => {
          stage.note('written', storage.getStore());
          resolve();
        }),
      );
    });
    storage.run('reader', () => there.resume());
    await written;
  },
};
