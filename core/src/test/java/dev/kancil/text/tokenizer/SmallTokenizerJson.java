package dev.kancil.text.tokenizer;

/** Tokenizer files that are small enough to be read and changed. */
final class SmallTokenizerJson {
  private SmallTokenizerJson() {}

  static final String PAIRS =
      """
      {"version": "1.0",
       "added_tokens": [{"id": 8, "content": "<s>", "special": true, "normalized": false},
         {"id": 9, "content": "ab c", "special": false, "lstrip": true, "single_word": true}],
       "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"},
         {"type": "Replace", "pattern": {"Regex": "x+"}, "content": "y"}, {"type": "Prepend", "prepend": "▁"},
         {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
       "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "▁?[^▁]+|▁+"}, "behavior": "Isolated", "invert": false},
       "post_processor": {"type": "TemplateProcessing",
         "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
         "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<s>", "type_id": 0}},
           {"Sequence": {"id": "B", "type_id": 1}}],
         "special_tokens": {"<s>": {"id": "<s>", "ids": [8], "tokens": ["<s>"]}}},
       "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
         {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
       "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
         "vocab": {"<unk>": 0, "a": 1, "b": 2, "▁": 3, "ab": 4, "▁a": 5, "<0x0A>": 6, "c": 7},
         "merges": ["a b", ["▁", "a"]]}}
      """;

  static final String UNIGRAM =
      """
      {"version": "1.0", "added_tokens": [{"id": 0, "content": "<unk>", "special": true}],
       "normalizer": {"type": "Sequence", "normalizers": [{"type": "Nmt"}, {"type": "NFKC"}, {"type": "Lowercase"},
         {"type": "StripAccents"}, {"type": "Strip", "strip_left": true, "strip_right": true}]},
       "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"},
         {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true}]},
       "post_processor": {"type": "RobertaProcessing", "sep": ["<unk>", 0], "cls": ["<unk>", 0],
         "trim_offsets": true, "add_prefix_space": false},
       "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"},
       "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": false,
         "vocab": [["<unk>", 0.0], ["▁", -1.5], ["a", -2.0], ["ab", -2.5], ["▁abc", -3.0]]}}
      """;

  static final String WORD_PIECES =
      """
      {"version": "1.0", "added_tokens": [],
       "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
         "strip_accents": null, "lowercase": true},
       "pre_tokenizer": {"type": "BertPreTokenizer"},
       "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 1], "cls": ["[CLS]", 2]},
       "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
       "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
         "max_input_chars_per_word": 100,
         "vocab": {"[UNK]": 0, "[SEP]": 1, "[CLS]": 2, "a": 3, "##b": 4, "ab": 5, "!": 6}}}
      """;
}
