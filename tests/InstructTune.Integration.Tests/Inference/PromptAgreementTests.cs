using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.Data;
using InstructTune.Trainer.FineTuning;
using InstructTune.Trainer.Peers;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>The trainer's rows and the server's prompts of one example, each made by its own service.</summary>
public sealed class PromptAgreementTests
{
    private const string Template =
        "{{ bos_token }}{% for m in messages %}{{ '[' + m['role'] + ']' + m['content'] + eos_token + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '[assistant]' }}{% endif %}";

    public static TheoryData<string, bool> Formats => new(
        new[] { "alpaca", "plain", "zephyr", "llama2", "mistral", "model" }.SelectMany(format => new[] { (format, false), (format, true) }));

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task The_server_prompts_with_the_tokens_that_the_trainer_put_before_each_answer(string format, bool joint)
    {
        await using var host = await InferenceHost.StartAsync();
        var sha256 = await host.PublishBaseAsync(InferenceHost.Base, Write);
        var tokenizer = Tokenizer.Load(host.ArtifactFolder(sha256));
        var spec = new global::InstructTune.Trainer.FineTuning.FineTuneSpec
        {
            BaseModel = InferenceHost.Base, Stages = [], PromptFormat = format,
            PromptBoundary = joint ? InstructTune.Modeling.Prompts.PromptBoundary.Joint : InstructTune.Modeling.Prompts.PromptBoundary.Split,
        };
        var chosen = JobFormat.Of(spec, tokenizer);
        host.Registry.Put(InferenceHost.Base, sha256, promptFormat: format, promptFormatSha256: chosen.Sha256);
        var encoder = new ExampleEncoder(new PromptEncoder(chosen, tokenizer), tokenizer, new SequenceLimit(400, TruncationRule.End, LossTokens.Response));

        var turns = new ConversationTurn[] { new("user", "hi <|end|> there"), new("assistant", "yes, <|begin|>"), new("user", " again"), new("assistant", "no") };
        var conversation = Assert.Single(encoder.Encode(new ConversationExample(turns)).Rows);
        await AgreesAsync(host, new() { Conversation = Turns(turns[..1]) }, conversation, answer: 0);
        await AgreesAsync(host, new() { Conversation = Turns(turns[..3]) }, conversation, answer: 1);
        var instruction = Assert.Single(encoder.Encode(new InstructionExample("Add.", "2 3", "5")).Rows);
        await AgreesAsync(host, new() { Instruction = new() { Instruction_ = "Add.", Input = "2 3" } }, instruction, answer: 0);
    }

    private static void Write(string folder)
    {
        TinyModel.Write(folder, seed: 1, contextTokens: 512);
        using var file = new StreamWriter(File.Create(Path.Combine(folder, "chat_template.jinja")));
        file.Write(Template);
    }

    private static Conversation Turns(IEnumerable<ConversationTurn> turns) =>
        new() { Turns = { turns.Select(turn => new Conversation.Types.Turn { Role = turn.Role, Text = turn.Text }) } };

    // The prompt of an answer is what stands before its first trained token.
    private static async Task AgreesAsync(InferenceHost host, GenerateRequest request, TokenizedExample row, int answer)
    {
        var starts = Enumerable.Range(1, row.Ids.Length - 1).Where(i => row.Trained[i] && !row.Trained[i - 1]).ToArray();
        var prompt = row.Ids[..starts[answer]];
        request.Model = InferenceHost.Base;
        request.MaxOutputTokens = 6;
        request.Sampling = new SamplingParameters { Temperature = 0 };
        var render = request.InputCase == GenerateRequest.InputOneofCase.Instruction
            ? new RenderPromptRequest { Model = request.Model, Instruction = request.Instruction }
            : new RenderPromptRequest { Model = request.Model, Conversation = request.Conversation };

        var rendered = await host.Client.RenderPromptAsync(render, cancellationToken: TestContext.Current.CancellationToken);
        var asked = await host.GenerateAsync(request);
        request.TokenIds = new TokenIds { Ids = { prompt } };
        var given = await host.GenerateAsync(request);

        Assert.Equal(prompt, rendered.TokenIds);
        Assert.Equal(prompt.Length, asked.Usage.PromptTokens);
        Assert.Equal(given.TokenIds, asked.TokenIds);
    }
}
