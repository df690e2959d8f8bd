/** What runs code blocks with all of Python, where there is one: the command hands it in, as nothing here starts processes. */

/** A code block, the line of the script that it is on, and the values of TCP_INFO at its time. */
export interface CodeBlock {
  readonly line: number;
  readonly code: string;
  readonly values: Readonly<Record<string, number>>;
}

export interface PythonResult {
  /** What print printed, line by line. */
  readonly printed: readonly string[];
  /** The first block that failed, and what it said. */
  readonly failure?: { readonly line: number; readonly message: string };
}

/** Runs the blocks in order, in one namespace. @returns undefined when there is no Python */
export type Python = (
  constants: Readonly<Record<string, number>>,
  blocks: readonly CodeBlock[],
) => PythonResult | undefined;
