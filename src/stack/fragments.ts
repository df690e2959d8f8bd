/** What reassembly needs of its stack, and where its reports go. */
import { Reassembly } from '../ip/reassembly.ts';
import { reportParameterProblem, reportTimeExceeded } from './icmp-reports.ts';
import type { Interface } from './interface.ts';
import type { Stack } from './stack.ts';

/** RFC 792: "fragment reassembly time exceeded". */
const REASSEMBLY = 1;

export function makeReassembly(stack: Stack): Reassembly<Interface> {
  const { slab, clock, random, sysctl, ipCounters } = stack;
  return new Reassembly<Interface>({
    slab,
    clock,
    random,
    sysctl,
    ipCounters,
    drop: (reason, now) => stack.drop(reason, now),
    reassemblyTimedOut: (from, first, now) => {
      reportTimeExceeded(stack, from, first, REASSEMBLY, now);
      // No batch came that would be followed by a flush.
      stack.wake();
    },
    fragmentAtFault: (from, fragment, code, pointer, now) => {
      reportParameterProblem(stack, from, fragment, code, pointer, false, now);
    },
  });
}
