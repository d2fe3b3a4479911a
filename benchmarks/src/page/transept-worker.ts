// Transept in a worker of the page.
import { transept } from '../transept.ts';
import { serve } from './worker.ts';

serve(({ threads }) => transept(threads));
