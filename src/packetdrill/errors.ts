/** The ways in which a script ends other than by passing. */

/** The script is not packetdrill. The message starts with `file:line:`. */
export class ScriptSyntaxError extends Error {
  override readonly name = 'ScriptSyntaxError';
}

/** What happened is not what the script says. */
export class ScriptFailure extends Error {
  override readonly name = 'ScriptFailure';
}

/** The script needs something that the stack or the runner does not have. */
export class UnsupportedFeature extends Error {
  override readonly name = 'UnsupportedFeature';
}

/** A code block uses more of Python than the built-in evaluator has. The message says what. */
export class PythonFeature extends UnsupportedFeature {
  override readonly name = 'UnsupportedFeature';
}
