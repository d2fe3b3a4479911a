// config.json as text. transformers 5 checks the types of options and takes no whole number where it wants a fraction, while JavaScript
// writes 30.0 as 30.
import type { JsonObject } from '../json.ts';

/** Options of the families' configurations in transformers 5.23 whose type is float. None of them is an int in another family. */
const fractions: ReadonlySet<string> = new Set([
  'attn_logit_softcapping',
  'decoder_layerdrop',
  'encoder_layerdrop',
  'final_logit_softcapping',
  'init_std',
  'initializer_cutoff_factor',
  'initializer_factor',
  'initializer_range',
  'layer_norm_eps',
  'layer_norm_epsilon',
  'norm_eps',
  'norm_epsilon',
  'rms_norm_eps',
  'router_aux_loss_coef',
  'router_jitter_noise',
]);

/** The text of a config.json that transformers reads. */
export const configText = (config: JsonObject): string =>
  `${JSON.stringify(config, undefined, 2)}\n`.replace(
    /^( +"(\w+)": -?\d+)(?=,?$)/gm,
    (option: string, _: string, name: string) => (fractions.has(name) ? `${option}.0` : option),
  );
