/** Seeds, one after the other: for the test and for `npm run soak`. */
import { explain } from '../support/failure.ts';
import { play, playTwice, type Result } from './play.ts';
import { drawScenario } from './scenario.ts';

/**
 * Plays a seed twice.
 * @throws Error that explains itself: the seed, the state of both sides, the ladder's end, a capture file, and how to play it alone
 */
export async function trySeed(seed: number): Promise<Result> {
  try {
    return await playTwice(String(seed));
  } catch (error) {
    const rerun = `npm run soak -- --seed ${seed}`;
    const scenario = drawScenario(String(seed));
    const explained = await explain(String(seed), error as Error, rerun, (recording) => play(scenario, recording));
    throw new Error(`${explained.message}\n${JSON.stringify(scenario)}`, { cause: error });
  }
}
