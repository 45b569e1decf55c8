export async function solvers(say: (text: string) => void): Promise<void> { say("todo"); }
