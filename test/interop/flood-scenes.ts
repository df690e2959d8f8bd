/** What flood.test.ts plays in a network namespace of its own. */
import { exchange, type Outcome, type Plan } from './flow.ts';
import { type GroundOptions, onGround } from './ground.ts';

export const moduleUrl = import.meta.url;

/** Who sends: the kernel, we, both at once; or four connections, two each way. */
export type Kind = 'in' | 'out' | 'both' | 'four';

const NOTHING: Plan = {};

/** As fast as it goes, as long as `ms`. */
export function flood(options: GroundOptions, kind: Kind, ms: number) {
  return onGround(options, async (ground) => {
    const listener = await ground.host.listen('tcp', ':5201');
    const sending: Plan = { ms };
    const kinds: Kind[] = kind === 'four' ? ['in', 'out', 'in', 'out'] : [kind];
    const pairs = kinds.map(async (one) => {
      const accepted = listener.accept().then((conn) => exchange(conn, one === 'in' ? NOTHING : sending));
      const dialled = ground.kernel.dial(5201, one === 'out' ? NOTHING : sending);
      const [ours, kernels] = await Promise.all([accepted, dialled]);
      return { ours, kernels };
    });
    const flows = await ground.within(ms + 8000, `flood ${kind}`, Promise.all(pairs));
    listener.close();
    return { flows: pairUp(flows) };
  });
}

/** Connections are accepted in the order of their dials, mostly: what one side sent is looked for on the other. */
function pairUp(flows: readonly { ours: Outcome; kernels: Outcome }[]) {
  const sum = (pick: (flow: (typeof flows)[number]) => number) => flows.reduce((total, flow) => total + pick(flow), 0);
  const gaps = flows.flatMap(({ ours, kernels }) => [ours.longestGap, kernels.longestGap]);
  const inFor = Math.max(...flows.map(({ ours }) => ours.receivingFor), 1);
  const outFor = Math.max(...flows.map(({ kernels }) => kernels.receivingFor), 1);
  const received = sum(({ ours }) => ours.received);
  const sent = sum(({ ours }) => ours.sent);
  return {
    sentByKernel: sum(({ kernels }) => kernels.sent),
    received,
    sent,
    receivedByKernel: sum(({ kernels }) => kernels.received),
    longestGap: Math.max(...gaps),
    /** Gbit/s. */
    inRate: (received * 8) / 1e6 / inFor,
    outRate: (sent * 8) / 1e6 / outFor,
  };
}
