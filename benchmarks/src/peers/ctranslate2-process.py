"""CTranslate2, asked in lines of JSON as remote.ts says: ctranslate2-process.py FOLDER THREADS.

FOLDER holds the Marian shape as ct2-float32 and ct2-int8, its tokens named t0, t1, ... and <pad> for the last.
"""

import json
import os
import sys
import time

folder, threads = sys.argv[1], int(sys.argv[2])
os.environ['OMP_NUM_THREADS'] = str(threads)
import ctranslate2  # noqa: E402

COMPUTE = {'f32': ('ct2-float32', 'float32'), 'q8': ('ct2-int8', 'int8')}
translator = None
task = {}
sources = []


def answer(**what):
    print(json.dumps(what), flush=True)


def prepare(new, ids):
    global translator, task, sources
    if new['model'] != 'translator' or new['weights'] not in COMPUTE:
        return False
    name, compute = COMPUTE[new['weights']]
    options = {'intra_threads': threads, 'inter_threads': 1, 'compute_type': compute}
    translator = ctranslate2.Translator(os.path.join(folder, name), device='cpu', **options)
    task = new
    sources = [[f't{i}' for i in row] for row in ids]
    return True


def run():
    """A single greedy row counts from its first token to its last, everything else as a whole."""
    steps = []
    streamed = task['rows'] == 1 and task['beams'] == 1
    callback = (lambda _: (steps.append((time.perf_counter(), time.process_time())), False)[1]) if streamed else None
    began = (time.perf_counter(), time.process_time())
    results = translator.translate_batch(
        sources,
        beam_size=task['beams'],
        min_decoding_length=task['tokens'],
        max_decoding_length=task['tokens'],
        max_batch_size=0,
        callback=callback,
    )
    assert all(len(r.hypotheses[0]) == task['tokens'] for r in results)
    if streamed:
        share = task['tokens'] / (len(steps) - 1)
        wall, cpu = (1000 * share * (b - a) for a, b in zip(steps[0], steps[-1]))
    else:
        wall, cpu = (1000 * (b - a) for a, b in zip(began, (time.perf_counter(), time.process_time())))
    answer(wallMs=wall, cpuMs=cpu)


answer(ready=True, version=ctranslate2.__version__)
for line in sys.stdin:
    question = json.loads(line)
    try:
        if 'prepare' in question:
            answer(ready=prepare(question['prepare'], question['ids']))
        elif 'run' in question:
            run()
        else:
            translator = None
            answer()
    except Exception as error:
        answer(error=str(error))
