/**
 * Property tests draw the same cases in every `npm test`: a red run is red again. `FC_SEED=random npm test` draws new ones, and
 * `FC_SEED=-1665794202 npm test -- --grep ...` those of a failure that was printed. Loaded by scripts/test.mjs.
 */
import fc from 'fast-check';

const given = process.env['FC_SEED'];
if (given !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(given ?? 1) });
