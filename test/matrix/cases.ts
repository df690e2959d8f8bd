/** The cases of the matrix: TCP as its users see it, whatever the family and the link. Those with `both` are played with either end as the one that acts. */

import type { Dialler } from './acts.ts';
import { cases as endingCases } from './cases-ending.ts';
import { cases as failingCases } from './cases-failing.ts';
import { cases as flowCases } from './cases-flow.ts';
import { cases as openingCases } from './cases-opening.ts';
import { cases as optionCases } from './cases-options.ts';
import type { Ground } from './ground.ts';

export interface Case {
  readonly title: string;
  /** Played twice: once with our stack as `who`, once with the other end. Otherwise with ours. */
  readonly both?: boolean;
  /** Takes seconds, or a path that breaks, or what kernels are built without. */
  readonly needs?: 'virtual time';
  readonly play: (g: Ground, who: Dialler) => Promise<void> | void;
}

export interface Play {
  readonly title: string;
  readonly play: (g: Ground) => Promise<void> | void;
}

const ALL: readonly Case[] = [...openingCases, ...flowCases, ...endingCases, ...optionCases, ...failingCases];

/** What is played on a ground of that kind of time. */
export function plays(isVirtual: boolean): Play[] {
  return ALL.filter(({ needs }) => isVirtual || needs === undefined).flatMap(({ title, both = false, play }) => {
    const sides: Dialler[] = both ? ['ours', 'peer'] : ['ours'];
    return sides.map((who) => ({
      title: both ? `${title}, by ${who === 'ours' ? 'us' : 'the peer'}` : title,
      play: (g: Ground) => play(g, who),
    }));
  });
}
