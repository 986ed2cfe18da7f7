#!/usr/bin/env python3
"""Makes small tokenizers of every kind, and what Hugging Face's tokenizers, SentencePiece and tiktoken make of texts with them.

make-tokenizer-goldens.py small TRICKY.TXT OUT.ZIP     the tokenizers of testdata/tokenizers-hf with some texts' ids
make-tokenizer-goldens.py ids TRICKY.TXT TOKENIZER OUT.GZ    the ids of all texts for one tokenizer file (.json, .model, .tiktoken)

Needs PyPI tokenizers 0.23.3, sentencepiece 0.2.3, tiktoken 0.14.0, protobuf. A .tiktoken file has its pattern and special
tokens beside it, in .tiktoken.pattern and .tiktoken.special (JSON). The .ids files are gzip of varints: the number of texts, and of each
text: itself, ids where special tokens mean nothing, ids where they do, ids with special tokens around the text, ids of a pair of the text
and its first 7 characters, and the decoded text; texts as UTF-8 with their length before them, ids with their number. No ids: not compared.
"""
import glob, gzip, json, os, random, sys, tempfile, zipfile


def all_texts(tricky_path):
    random.seed(5)
    tricky=open(tricky_path,encoding='utf-8',newline='').read()
    texts=[tricky]+[l for l in tricky.split('\n')]
    pieces=[' ','  ','\n','\r\n','\t','\u00a0','\u3000','\u0085',"'s","'LL","'\u017f","'",'a','Bc','é','e\u0301','日本','한국','🦌','12','1234','٣','½','...','$','`','_','\u200d','\u0000','\u001c','龥','\ufb01','—','<|x|>','\ud7fb','ǅ','ʰ','HTTPServer','camelCase','ÀÉ','ß','İ','Σ','ς','://','/','!!','#a','👩‍👩‍👧','🇩🇪','ก็','नमस्ते','\u0300','Ⅻ','²','▁','▁▁','\ufeff','\u2028','ﷺ','Ω','①','~','\\','<s>','</s>','[MASK]','<0x0A>','<unk>','\t\t','\n\n','   ','hello','world','The','quick','token','ization']
    for _ in range(1200):
        texts.append(''.join(random.choice(pieces) for _ in range(random.randint(1,14))))
    for _ in range(150):
        texts.append(''.join(chr(c) for c in (random.choice([random.randint(0,0x7f),random.randint(0,0x7ff),random.randint(0,0xd7ff),random.randint(0xe000,0x1ffff)]) for _ in range(random.randint(1,30)))))
    words='the of and to in is that it was for on are as with his they at be this from have or by one had not but what all were when we there can an your which their said if do will each about how up out them then she many some so these would other into has more her two like him see time could no make than first been its who now people my made over did down only way find use may water long little very after words called just where most know'.split()
    for _ in range(60):
        texts.append(' '.join(random.choice(words) if random.random()<.8 else random.choice(words).capitalize()+random.choice(['.',',','!','?',"'s",'\n']) for _ in range(60)))
    texts.append('a'*300); texts.append(' '*200+'x'); texts.append('ab '*500); texts.append('\n'*77); texts.append('日本語'*90); texts.append('1234567890'*20); texts.append('')
    texts=[t.encode('utf-8','replace').decode('utf-8') for t in texts]
    return texts


def some_texts(texts):
    random.seed(3)
    return texts[1:174:2]+random.sample(texts[175:1375],110)+random.sample(texts[1375:1525],20)+texts[1525:1527]+texts[-7:]


def golden(path,out,texts):
    buf=bytearray()
    def v(n):
        while n>127: buf.append(n&127|128); n>>=7
        buf.append(n)
    def w(ids): v(len(ids)); [v(i) for i in ids]
    def ws(s): b=s.encode('utf-8'); v(len(b)); buf.extend(b)
    if path.endswith('.model'):
        import sentencepiece
        m=sentencepiece.SentencePieceProcessor(model_file=path)
        unk=m.unk_id()
        def f(x): return m.encode(x)
        enc=(f,None,f,lambda a,b:[],lambda ids:m.decode([i for i in ids if i!=unk]))
    elif path.endswith('.tiktoken'):
        import tiktoken,base64
        ranks={base64.b64decode(l.split()[0]):int(l.split()[1]) for l in open(path) if l.strip()}
        pat=open(path+'.pattern',newline='').read()
        sp=json.load(open(path+'.special'))
        t=tiktoken.Encoding('x',pat_str=pat,mergeable_ranks=ranks,special_tokens=sp)
        enc=(lambda x:t.encode(x,disallowed_special=()),lambda x:t.encode(x,allowed_special='all'),lambda x:t.encode(x,allowed_special='all'),lambda a,b:[],lambda ids:t.decode([i for i in ids if i not in sp.values()]))
    else:
        from tokenizers import Tokenizer
        t=Tokenizer.from_file(path); t.no_truncation(); t.no_padding()
        def plain(x):
            t.encode_special_tokens=True
            ids=t.encode(x,add_special_tokens=False).ids
            t.encode_special_tokens=False
            return ids
        enc=(plain,lambda x:t.encode(x,add_special_tokens=False).ids,lambda x:t.encode(x).ids,lambda a,b:t.encode(a,b).ids,lambda ids:t.decode(ids,skip_special_tokens=True))
    v(len(texts))
    for x in texts:
        ws(x); w(enc[0](x)); w(enc[1](x) if enc[1] else []); ids=enc[2](x); w(ids); w(enc[3](x,x[:7])); ws(enc[4](ids))
    open(out,'wb').write(gzip.compress(bytes(buf),9,mtime=0))


def small(out, texts):
    from tokenizers import Tokenizer, models, normalizers as N, pre_tokenizers as P, processors as PP, decoders as D, trainers as T, AddedToken, Regex
    corpus=[t for t in texts if t][:1500]*2
    LL3="(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
    made={}
    def save(name,t): t.save(f'{out}/{name}.json'); made[name]=t
    def bpe(vocab=400,special=('<unk>',),byte_level=False,model=None,pre=None,norm=None,**kw):
        t=Tokenizer(models.BPE(**(model or {})))
        if norm: t.normalizer=norm
        if pre: t.pre_tokenizer=pre
        t.train_from_iterator(corpus,T.BpeTrainer(vocab_size=vocab,special_tokens=list(special),show_progress=False,initial_alphabet=P.ByteLevel.alphabet() if byte_level else [],**kw))
        return t
    # 1 GPT-2 like
    t=bpe(600,('<|endoftext|>',),True,pre=P.ByteLevel(add_prefix_space=False)); t.decoder=D.ByteLevel(); t.post_processor=PP.ByteLevel(trim_offsets=False); save('gpt2-like',t)
    # 2 RoBERTa like
    t=bpe(600,('<s>','<pad>','</s>','<unk>'),True,pre=P.ByteLevel(add_prefix_space=True)); t.add_special_tokens([AddedToken('[MASK]',lstrip=True)]); t.decoder=D.ByteLevel(); t.post_processor=PP.RobertaProcessing(('</s>',2),('<s>',0)); save('roberta-like',t)
    # 3 Llama 3 like ignore_merges
    t=bpe(600,('<s>','</s>'),True,pre=P.Sequence([P.Split(Regex(LL3),'isolated'),P.ByteLevel(add_prefix_space=False,use_regex=False)])); t.decoder=D.ByteLevel()
    j=json.loads(t.to_str()); j['model']['ignore_merges']=True; t=Tokenizer.from_str(json.dumps(j)); t.post_processor=PP.Sequence([PP.ByteLevel(trim_offsets=False),PP.TemplateProcessing(single='<s> $A',pair='<s> $A <s>:1 $B:1',special_tokens=[('<s>',0)])]); save('llama3-like',t)
    # 4 Llama 2 like: byte fallback, Prepend+Replace
    sp=['<unk>','<s>','</s>']+['<0x%02X>'%i for i in range(256)]
    t=bpe(900,sp,False,model=dict(unk_token='<unk>',fuse_unk=True,byte_fallback=True),pre=P.Metaspace(prepend_scheme='first'),limit_alphabet=150)
    j=json.loads(t.to_str()); j['added_tokens']=[a for a in j['added_tokens'] if a['id']<3]; j['pre_tokenizer']=None
    j['normalizer']={"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]}
    j['decoder']={"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}
    base=j
    t=Tokenizer.from_str(json.dumps(j)); t.post_processor=PP.TemplateProcessing(single='<s> $A </s>',pair='<s> $A </s> $B </s>',special_tokens=[('<s>',1),('</s>',2)]); save('llama2-like',t)
    # Mistral-like legacy=false: Metaspace first, split false ; and always/never/split
    for sch in ('first','always','never'):
      for spl in (False,True):
        j=json.loads(json.dumps(base)); j['normalizer']=None; j['pre_tokenizer']={"type":"Metaspace","replacement":"▁","prepend_scheme":sch,"split":spl}
        if sch=='always': j['decoder']={"type":"Metaspace","replacement":"▁","prepend_scheme":sch,"split":spl}
        t=Tokenizer.from_str(json.dumps(j)); save(f'metaspace-{sch}-{spl}'.lower(),t)
    # no unk, no byte fallback
    j=json.loads(json.dumps(base)); j['model']['byte_fallback']=False; j['model']['unk_token']=None; j['decoder']=None; save('bpe-no-unknown',Tokenizer.from_str(json.dumps(j)))
    j=json.loads(json.dumps(base)); j['model']['byte_fallback']=False; j['model']['fuse_unk']=False; j['decoder']={"type":"Fuse"}; save('bpe-unfused',Tokenizer.from_str(json.dumps(j)))
    j=json.loads(json.dumps(base)); j['model']['byte_fallback']=False; j['decoder']={"type":"Metaspace","replacement":"▁","prepend_scheme":"never"}; save('bpe-fused',Tokenizer.from_str(json.dumps(j)))
    # legacy merges form
    j=json.loads(json.dumps(base)); j['model']['merges']=[' '.join(m) for m in j['model']['merges']]; save('bpe-legacy-merges',Tokenizer.from_str(json.dumps(j))); open(out+'/bpe-legacy-merges.json','w').write(json.dumps(j,ensure_ascii=False))
    # 5 CLIP-like end_of_word_suffix
    t=bpe(500,('<unk>','<|startoftext|>'),False,model=dict(unk_token='<unk>',end_of_word_suffix='</w>'),norm=N.Sequence([N.NFC(),N.Replace(Regex(r'\s+'),' '),N.Lowercase()]),pre=P.Sequence([P.Split(Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"),'removed',invert=True)]),end_of_word_suffix='</w>',limit_alphabet=120); t.decoder=D.BPEDecoder(); save('clip-like',t)
    # continuing prefix
    t=bpe(500,('<unk>',),False,model=dict(unk_token='<unk>',continuing_subword_prefix='##'),pre=P.Whitespace(),continuing_subword_prefix='##',limit_alphabet=120); t.decoder=D.WordPiece(); save('bpe-prefix',t)
    # 6 DeepSeek-like
    DS3="[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
    t=bpe(500,('<s>',),True,pre=P.Sequence([P.Split(Regex("\\p{N}{1,3}"),'isolated'),P.Split(Regex("[一-龥぀-ゟ゠-ヿ]+"),'isolated'),P.Split(Regex(DS3),'isolated'),P.ByteLevel(add_prefix_space=False,use_regex=False)])); t.decoder=D.ByteLevel(); save('deepseek3-like',t)
    O200="[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
    t=bpe(500,('<s>',),True,pre=P.Sequence([P.Split(Regex(O200),'isolated'),P.ByteLevel(add_prefix_space=False,use_regex=False)])); t.decoder=D.ByteLevel(); save('o200k-like',t)
    # ByteLevel normalizer
    t=bpe(500,('<s>',),True,norm=N.ByteLevel(),pre=P.Split(Regex("Ġ?[^Ġ]+"),'isolated')); t.decoder=D.ByteLevel(); t.add_tokens([AddedToken('café',normalized=True)]); save('bytelevel-normalizer',t)
    # split behaviours with a byte level model
    for i,(pat,beh,inv) in enumerate([(Regex(r'\s'),'merged_with_previous',False),(Regex(r'\w+'),'merged_with_next',False),(Regex(r'[aeiou]'),'contiguous',False),(Regex(r'\d*'),'isolated',False),(' ','removed',False),('th','merged_with_next',True),(Regex(r'(?i:[a-z]+)|.'),'removed',True),(Regex(r'\p{N}{1,3}+'),'isolated',False),(Regex(r'\b'),'isolated',False),(Regex(r'^.|$'),'isolated',False),(Regex(r'(?<=[^\W\d])(?=\p{Lu})|[[:punct:]]+'),'isolated',False),(Regex(r'\p{Han}|\p{^L}++'),'merged_with_previous',False),(Regex(r'(?m:a.b)|\h{2}|\X'),'isolated',False)]):
        t=bpe(400,('<s>',),True,pre=P.Sequence([P.Split(pat,beh,inv),P.ByteLevel(add_prefix_space=False,use_regex=False)])); t.decoder=D.ByteLevel(); save(f'split-{i:02d}',t)
    # WordPiece BERT
    t=Tokenizer(models.WordPiece(unk_token='[UNK]',max_input_chars_per_word=100)); t.normalizer=N.BertNormalizer(); t.pre_tokenizer=P.BertPreTokenizer()
    t.train_from_iterator(corpus,T.WordPieceTrainer(vocab_size=900,special_tokens=['[PAD]','[UNK]','[CLS]','[SEP]','[MASK]'],show_progress=False,limit_alphabet=200)); t.decoder=D.WordPiece(); t.post_processor=PP.BertProcessing(('[SEP]',3),('[CLS]',2)); save('bert-like',t)
    t=Tokenizer.from_str(t.to_str()); t.normalizer=N.BertNormalizer(clean_text=True,handle_chinese_chars=True,strip_accents=False,lowercase=False); t.post_processor=PP.TemplateProcessing(single='[CLS]:0 $A:0 [SEP]:0',pair='[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1',special_tokens=[('[CLS]',2),('[SEP]',3)]); t.add_tokens([AddedToken('quick',single_word=True),AddedToken('The',rstrip=True,lstrip=True),AddedToken('İ',normalized=True)]); t.decoder=D.WordPiece(cleanup=False); save('bert-cased-like',t)
    # WordLevel
    t=Tokenizer(models.WordLevel(unk_token='[UNK]')); t.pre_tokenizer=P.Whitespace(); t.train_from_iterator(corpus,T.WordLevelTrainer(vocab_size=300,special_tokens=['[UNK]','[MASK]'],show_progress=False)); save('wordlevel',t)
    wl=json.loads(t.to_str())
    # pre-tokenizers on word level/ char bpe: use a char-level BPE without merges-like vocabulary to see cuts
    pres={'whitespacesplit':P.WhitespaceSplit(),'punct-prev':P.Punctuation('merged_with_previous'),'punct-cont':P.Punctuation('contiguous'),'digits-each':P.Digits(True),'digits-runs':P.Digits(False),'delimiter':P.CharDelimiterSplit('a'),'scripts':P.UnicodeScripts(),'fixed':P.FixedLength(3),'bytelevel-first':P.Sequence([P.ByteLevel(add_prefix_space=True),P.Punctuation()]),'seq':P.Sequence([P.WhitespaceSplit(),P.Metaspace(prepend_scheme='first'),P.Digits(True)])}
    for k,p in pres.items():
        t=bpe(500,('<unk>','[MASK]'),False,model=dict(unk_token='<unk>'),pre=p,limit_alphabet=300); t.add_special_tokens([AddedToken('[X]',rstrip=True)]); save('pre-'+k,t)
    # normalizers
    norms={'nfkc':N.NFKC(),'nfkd-strip':N.Sequence([N.NFKD(),N.StripAccents(),N.Lowercase()]),'nfd':N.NFD(),'nmt':N.Nmt(),'strip':N.Strip(),'lstrip':N.Strip(right=False),'replace':N.Sequence([N.Replace(Regex(r'[ \t]{2,}'),' '),N.Replace("''",'"'),N.Replace('a','')]),'lower':N.Lowercase()}
    for k,n in norms.items():
        t=bpe(400,('<unk>',),False,model=dict(unk_token='<unk>'),norm=n,pre=P.Metaspace(prepend_scheme='first'),limit_alphabet=300); t.add_tokens([AddedToken('Hello',normalized=True),AddedToken('日本',normalized=False)]); t.decoder=D.Sequence([D.Metaspace(),D.Strip('a',1,0)]); save('norm-'+k,t)
    t=bpe(400,('<unk>','<pad>','|'),False,model=dict(unk_token='<unk>')); t.decoder=D.CTC(); save('ctc',t)
    # Unigram
    for name,kw in {'unigram':dict(unk_token='<unk>',special_tokens=['<s>','<pad>','</s>','<unk>'])}.items():
        t=Tokenizer(models.Unigram()); t.normalizer=N.Sequence([N.Nmt(),N.NFKC(),N.Replace(Regex(' {2,}'),' ')]); t.pre_tokenizer=P.Metaspace()
        t.train_from_iterator([c for c in corpus if '<' not in c and all(ord(x)<0x3000 for x in c)],T.UnigramTrainer(vocab_size=6000,show_progress=False,**kw)); t.decoder=D.Metaspace(); t.post_processor=PP.TemplateProcessing(single='<s> $A </s>',pair='<s> $A </s> </s> $B </s>',special_tokens=[('<s>',0),('</s>',2)]); save('xlmr-like',t)
    import base64,sentencepiece as spm
    # charsmap of sentencepiece nmt_nfkc
    open(out+'/corpus.txt','w').write('\n'.join(x.replace('\n',' ').replace('\r',' ').replace('\0','') for x in corpus if x.strip() and all(ord(y)<0x250 for y in x)))
    rules=[('FB01','66 69'),('2126','3A9'),('3A9','3C9'),('65 301','E9'),('41','61'),('9','20'),('A','20'),('D','20'),('A0','20'),('3000','20'),('200B',''),('FEFF',''),('2460','31'),('2028','20'),('1F98C','64 65 65 72'),('65 301 301','45'),('2581','20')]
    open(out+'/rules.tsv','w').write(''.join('%s\t%s\n'%r for r in rules))
    def sp(name,**kw):
        spm.SentencePieceTrainer.train(input=out+'/corpus.txt',model_prefix=out+'/'+name,minloglevel=2,**kw)
    sp('t5',vocab_size=600,model_type='unigram',character_coverage=0.999,hard_vocab_limit=False,pad_id=0,eos_id=1,unk_id=2,bos_id=-1)
    sp('albert',vocab_size=600,model_type='unigram',normalization_rule_tsv=out+'/rules.tsv',hard_vocab_limit=False,user_defined_symbols=['[MASK]','##x'],character_coverage=0.999)
    sp('llama',vocab_size=900,model_type='bpe',byte_fallback=True,normalization_rule_name='identity',remove_extra_whitespaces=False,split_digits=True,user_defined_symbols=['<extra>','  '],character_coverage=0.999,hard_vocab_limit=False)
    sp('bpe-rules',vocab_size=800,model_type='bpe',normalization_rule_tsv=out+'/rules.tsv',character_coverage=0.999,hard_vocab_limit=False,add_dummy_prefix=False)
    sp('unigram-bytes',vocab_size=900,model_type='unigram',byte_fallback=True,treat_whitespace_as_suffix=True,normalization_rule_tsv=out+'/rules.tsv',character_coverage=0.999,hard_vocab_limit=False)
    from sentencepiece import sentencepiece_model_pb2 as pb
    for name in ('t5','albert','unigram-bytes'):
        m=pb.ModelProto(); m.ParseFromString(open(f'{out}/{name}.model','rb').read())
        vocab=[(p.piece,p.score) for p in m.pieces]
        unk=[i for i,p in enumerate(m.pieces) if p.type==2][0]
        t=Tokenizer(models.Unigram(vocab,unk,m.trainer_spec.byte_fallback))
        t.normalizer=N.Sequence([N.Precompiled(m.normalizer_spec.precompiled_charsmap),N.Replace(Regex(' {2,}'),' ')] if name!='albert' else [N.Replace('``','"'),N.NFKD(),N.StripAccents(),N.Lowercase(),N.Precompiled(m.normalizer_spec.precompiled_charsmap),N.Replace(Regex(' {2,}'),' ')])
        t.pre_tokenizer=P.Metaspace() if name!='albert' else P.Sequence([P.WhitespaceSplit(),P.Metaspace()])
        t.decoder=D.Metaspace() if name!='unigram-bytes' else D.Sequence([D.ByteFallback(),D.Metaspace()])
        t.add_special_tokens([p.piece for p in m.pieces if p.type==3])
        save(name+'-json',t)
    os.remove(out+'/corpus.txt'); os.remove(out+'/rules.tsv')


def small_tiktoken(out):
    """The tokens of llama3-like by rank, with the pattern of cl100k_base."""
    import base64
    letters={}
    n=0
    for b in range(256):
        if 33<=b<127 or 161<=b<173 or b>=174: letters[chr(b)]=b
        else: letters[chr(256+n)]=b; n+=1
    vocab=json.load(open(out+'/llama3-like.json'))['model']['vocab']
    tokens=[t for t in sorted(vocab,key=vocab.get) if t not in ('<s>','</s>') and all(c in letters for c in t)]
    tokens=sorted([t for t in tokens if len(t)==1],key=lambda t:letters[t])+[t for t in tokens if len(t)>1]
    with open(out+'/cl100k-like.tiktoken','w') as f:
        for i,t in enumerate(tokens): f.write(base64.b64encode(bytes(letters[c] for c in t)).decode()+' %d\n'%i)
    with open(out+'/cl100k-like.tiktoken.pattern','w') as f:
        f.write(r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s""")
    json.dump({'<s>':len(tokens)+3,'</s>':len(tokens)+5},open(out+'/cl100k-like.tiktoken.special','w'))


if __name__=='__main__':
    texts=all_texts(sys.argv[2])
    if sys.argv[1]=='ids':
        golden(sys.argv[3],sys.argv[4],texts)
    else:
        with tempfile.TemporaryDirectory() as out:
            small(out,texts)
            small_tiktoken(out)
            files=[f for ending in ('json','model','tiktoken') for f in glob.glob(out+'/*.'+ending)]
            for f in files: golden(f,f+'.ids',some_texts(texts))
            with zipfile.ZipFile(sys.argv[3],'w',zipfile.ZIP_DEFLATED,compresslevel=9) as z:
                for f in sorted(glob.glob(out+'/*')):
                    if not f.endswith('.vocab'):
                        z.writestr(zipfile.ZipInfo(os.path.basename(f),(2026,1,1,0,0,0)),open(f,'rb').read(),zipfile.ZIP_DEFLATED,9)
