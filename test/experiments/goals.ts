/** The experiments with congestion control: what is run, what it has to reach, and the table that says whether it did. */
import { congestionControls } from '../../src/tcp/congestion/congestion.ts';
import { averageWindow, fairness, linkShare, median } from './measures.ts';

export interface Outcome {
  readonly what: string;
  readonly control: string;
  readonly measured: string;
  /** What is asked; nothing: for information. */
  readonly goal: string;
  readonly reached: boolean;
}

/** RFC 8312 5.1, table 1: RTT = 0.1 s, C = 0.4. */
const CUBIC_WINDOWS: readonly (readonly [number, number])[] = [
  [1e-2, 12],
  [1e-3, 38],
  [1e-4, 187],
  [1e-5, 1054],
];
const WINDOW_TOLERANCE = 0.25;
/** Losses over which the window is averaged; the fewer, the more packets lie between them. */
const EPOCHS = (p: number) => (p < 1e-4 ? 15 : 60);
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/** Runs all of them, one after the other; each outcome is told as soon as it is there. @returns whether all goals were reached */
export function runExperiments(tell: (outcome: Outcome) => void): boolean {
  let all = true;
  const note = (outcome: Outcome) => {
    all &&= outcome.reached;
    tell(outcome);
  };
  for (const control of ['cubic', 'bbr', 'reno', 'dctcp'].filter(isThere)) note(share(control));
  for (const [p, window] of CUBIC_WINDOWS) note(windowAt('cubic', p, window));
  for (const [p] of CUBIC_WINDOWS) note(windowAt('reno', p, 1.22 / Math.sqrt(p)));
  for (const control of ['cubic', 'bbr', 'reno'].filter(isThere)) note(jain(control));
  for (const control of ['bbr', 'cubic', 'reno'].filter(isThere)) note(lossy(control));
  return all;
}

function isThere(control: string): boolean {
  return congestionControls().includes(control);
}

function share(control: string): Outcome {
  const goal = control === 'cubic' || control === 'bbr' ? 0.95 : undefined;
  return atLeast('share of the link, 5th to 60th second', control, linkShare(control, { from: 5, to: 60 }), goal);
}

function lossy(control: string): Outcome {
  const goal = control === 'bbr' ? 0.9 : undefined;
  const measured = linkShare(control, { from: 5, to: 60, loss: 0.01 });
  return atLeast('share of the link at 1 % random loss', control, measured, goal);
}

function jain(control: string): Outcome {
  const measured = median(SEEDS.map((seed) => fairness(control, seed, 60, 40)));
  return atLeast('two flows, last 40 s of 60: median Jain index of 10 seeds', control, measured, 0.98);
}

function windowAt(control: string, p: number, expected: number): Outcome {
  const measured = averageWindow(control, Math.round(1 / p), expected, EPOCHS(p));
  return {
    what: `average window, a loss every ${Math.round(1 / p)} packets, RTT 0.1 s`,
    control,
    measured: measured.toFixed(1),
    goal: `${expected.toFixed(0)} +- 25 %`,
    reached: Math.abs(measured / expected - 1) <= WINDOW_TOLERANCE,
  };
}

function atLeast(what: string, control: string, measured: number, goal?: number): Outcome {
  const reached = goal === undefined || measured >= goal;
  return { what, control, measured: measured.toFixed(4), goal: goal === undefined ? '' : `>= ${goal}`, reached };
}
