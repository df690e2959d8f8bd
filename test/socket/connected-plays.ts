/** Calls on the two ends of a connection, drawn by chance, played on whatever has sockets and epoll: what they return, what is ready, and which events there are. */
import type { TestSocket } from '../../src/packetdrill/target.ts';
import {
  AF_INET,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  EPOLLET,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  IPPROTO_TCP,
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_NOSIGNAL,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  POLLHUP,
  SHUT_RDWR,
  SHUT_WR,
  SIOCATMARK,
  SIOCINQ,
  SIOCOUTQNSD,
  SO_ERROR,
  SO_LINGER,
  SO_OOBINLINE,
  SO_RCVLOWAT,
  SOL_SOCKET,
  TCP_NODELAY,
} from '../../src/socket/constants.ts';
import { errnoName } from '../../src/socket/errno.ts';
import { seededRandom } from '../../src/time/random.ts';
import { IPV4_LOOPBACK } from '../../src/wire/address.ts';

/** What is played on. */
export interface Stage {
  open(domain: number): TestSocket;
  epoll(): StageEpoll;
  /** Lets what was sent arrive, and no timer run. */
  settle(): Promise<void>;
}

export interface StageEpoll {
  ctl(operation: number, socket: TestSocket, events: number, data: number): number;
  wait(): { readonly events: number; readonly data: number }[];
  close(): number;
}

const EVERYTHING = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
const EVENTS = [EVERYTHING, EPOLLIN | EPOLLRDHUP, EPOLLIN | EPOLLET, EPOLLIN | EPOLLOUT | EPOLLONESHOT];
const SEND_FLAGS = [0, 0, 0, MSG_OOB, MSG_EOR, MSG_DONTWAIT, MSG_EOR | MSG_OOB, MSG_NOSIGNAL];
const RECV_FLAGS = [
  0,
  0,
  0,
  MSG_PEEK,
  MSG_OOB,
  MSG_WAITALL,
  MSG_TRUNC,
  MSG_PEEK | MSG_TRUNC,
  MSG_OOB | MSG_PEEK,
  MSG_WAITALL | MSG_PEEK,
  MSG_DONTWAIT,
  MSG_OOB | MSG_TRUNC,
];

/** @returns a line for each call: what it was, what it gave, what both ends' poll says then, and the events */
export async function playConnection(stage: Stage, seed: number, calls: number): Promise<string[]> {
  const random = seededRandom(`connection ${seed}`);
  const below = (count: number) => random.uint32() % count;
  const of = <T>(list: readonly T[]) => list[below(list.length)] as T;
  const to = { address: IPV4_LOOPBACK, port: 2000 + seed };
  const listener = stage.open(AF_INET);
  listener.bind(to);
  listener.listen(2);
  const epoll = stage.epoll();
  const events = [of(EVENTS), of(EVENTS)];
  const client = stage.open(AF_INET);
  // Who has sent a FIN is woken when that is acknowledged: when the timer says so, which on the kernel is any time.
  const hasEnded = [false, false];
  const told = () =>
    epoll
      .wait()
      .filter(({ data }) => hasEnded[data] !== true)
      .map((event) => `${event.data}:${(event.events >>> 0).toString(16)}`)
      .sort()
      .join(' ');
  epoll.ctl(EPOLL_CTL_ADD, client, events[0] as number, 0);
  const lines = [`new ${told()}`];
  const connecting = client.connect(to);
  await stage.settle();
  lines.push(`connect ${shown(connecting)} ${told()}, again ${shown(client.connect(to))}`);
  const server = listener.accept() as TestSocket;
  epoll.ctl(EPOLL_CTL_ADD, server, events[1] as number, 1);
  const ends: (TestSocket | undefined)[] = [client, server];
  for (const end of [client, server]) end.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
  for (let i = 0; i < calls; i++) {
    const at = below(2);
    const drawn = { size: of([0, 1, 2, 10, 100, 3000]), room: of([0, 1, 2, 5, 50, 5000]), how: of([0, 1, 2, 2, 3]) };
    const flags = [of(SEND_FLAGS), of(RECV_FLAGS)] as const;
    const [which, low, inline] = [below(38), of([0, 1, 2, 5, 1000]), below(2)];
    const end = ends[at];
    if (end === undefined) continue;
    const what = ((): string => {
      if (which < 13) {
        const bytes = new Uint8Array(drawn.size).fill(65 + (i % 26));
        return `send ${drawn.size} ${flags[0]} = ${shown(end.send(bytes, flags[0]))}`;
      }
      if (which < 26) return received(end, drawn.room, flags[1]);
      switch (which) {
        case 26:
          hasEnded[at] ||= drawn.how === SHUT_WR || drawn.how === SHUT_RDWR;
          return `shutdown ${drawn.how} = ${shown(end.shutdown(drawn.how))}`;
        case 27:
        case 28: {
          if (below(3) > 0) return 'nothing';
          if (which === 27) end.setsockopt(SOL_SOCKET, SO_LINGER, { onoff: 1, linger: 0 });
          ends[at] = undefined;
          return `close = ${shown(end.close())}`;
        }
        case 29:
          return `SO_ERROR ${shown(end.getsockopt(SOL_SOCKET, SO_ERROR) as number)}`;
        case 30:
          return `queued ${[SIOCINQ, SIOCATMARK, SIOCOUTQNSD].map((request) => shown(end.ioctl(request)))}`;
        case 31:
        case 32:
          return `SO_RCVLOWAT ${low} ${shown(end.setsockopt(SOL_SOCKET, SO_RCVLOWAT, low))}`;
        case 33:
          return `SO_OOBINLINE ${inline} ${shown(end.setsockopt(SOL_SOCKET, SO_OOBINLINE, inline))}`;
        case 34:
          return `connect ${shown(end.connect(to))}`;
        case 35:
          // The place of a connection that is gone can be bound anew on Linux.
          if ((end.poll() & POLLHUP) !== 0) return 'nothing';
          return `bind ${shown(end.bind({ ...to, port: 0 }))}, listen ${shown(end.listen(1))}`;
        case 36:
          return `events ${shown(epoll.ctl(EPOLL_CTL_MOD, end, events[at] as number, at))}`;
        default:
          return `accept ${shown(end.accept() as number)}, peer ${typeof end.getpeername()}`;
      }
    })();
    await stage.settle();
    const ready = ends.map((each) => each?.poll().toString(16) ?? '-').join(' ');
    lines.push(`${at}: ${what} | ${ready} | ${told()}`);
  }
  for (const end of ends) {
    end?.setsockopt(SOL_SOCKET, SO_LINGER, { onoff: 1, linger: 0 });
    end?.close();
  }
  listener.close();
  epoll.close();
  await stage.settle();
  return lines;
}

function received(end: TestSocket, room: number, flags: number): string {
  const bytes = new Uint8Array(room);
  const got = end.recv(bytes, flags);
  const text = (flags & MSG_TRUNC) !== 0 ? '' : String.fromCharCode(...bytes.subarray(0, Math.max(got, 0)));
  return `recv ${room} ${flags} = ${shown(got)} ${text}`;
}

function shown(result: number): string {
  return result < 0 ? errnoName(-result) : String(result);
}
