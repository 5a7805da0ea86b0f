using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Inference;

public sealed class TextTests
{
    private const string Nobody = "models/nobody/versions/1";
    private const string Strange = "models/strange/versions/1";

    [Fact]
    [Covers("InferenceService/Tokenize", "OK")]
    [Covers("InferenceService/Detokenize", "OK")]
    public async Task Tokens_of_a_text_spell_it_again_and_control_tokens_are_read_only_when_asked_for()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        const string Text = "once <|end|> upon";

        var plain = await TokenizeAsync(host, new() { Model = InferenceHost.Base, Text = Text });
        var special = await TokenizeAsync(host, new() { Model = InferenceHost.Base, Text = Text, AddSpecialTokens = true });
        var again = await DetokenizeAsync(host, plain.TokenIds);

        Assert.Equal(Text, again);
        Assert.NotEqual(plain.TokenIds, special.TokenIds);
        Assert.True(special.TokenIds.Count < plain.TokenIds.Count);
    }

    [Fact]
    [Covers("InferenceService/RenderPrompt", "OK")]
    public async Task A_rendered_prompt_is_what_generation_continues()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var instruction = new Instruction { Instruction_ = "Say hi.", Input = "now" };
        var request = Requests.Greedy(InferenceHost.Base, "", maxTokens: 8);
        request.Instruction = instruction;

        var rendered = await RenderAsync(host, new() { Model = InferenceHost.Base, Instruction = instruction });
        var trained = await RenderAsync(host, new() { Model = InferenceHost.Base, Instruction = instruction, Response = "hi" });
        var asked = await host.GenerateAsync(request);
        request.TokenIds = new TokenIds { Ids = { rendered.TokenIds } };
        var given = await host.GenerateAsync(request);

        Assert.Contains("### Input:\nnow", rendered.Text, StringComparison.Ordinal);
        Assert.Equal(given.TokenIds, asked.TokenIds);
        Assert.Equal(rendered.TokenIds, trained.TokenIds.Take(rendered.TokenIds.Count));
        Assert.All(rendered.Trained, Assert.False);
        Assert.Equal(trained.TokenIds.Count - rendered.TokenIds.Count, trained.Trained.Count(mark => mark));
        Assert.Equal(trained.TokenIds.Count, trained.TokenBytes.Count);
        Assert.Equal("alpaca", trained.PromptFormat);
    }

    [Fact]
    [Covers("InferenceService/Tokenize", "FIELD_INVALID")]
    [Covers("InferenceService/Detokenize", "FIELD_INVALID")]
    [Covers("InferenceService/RenderPrompt", "FIELD_INVALID")]
    public async Task What_is_malformed_or_too_large_is_named()
    {
        await using var host = await InferenceHost.StartWithModelsAsync();
        var large = new string('a', 1024 * 1024 + 1);

        Assert.Equal(["model", "text"], (await TokenizeAsync(host, new() { Model = "x", Text = large }).FailsAsync("FIELD_INVALID")).Fields().Order());
        Assert.Equal(["token_ids[1]"], (await DetokenizeAsync(host, [3, 1_000_000]).FailsAsync("FIELD_INVALID")).Fields());
        Assert.Equal(["token_ids"], (await DetokenizeAsync(host, Enumerable.Repeat(3, 262_145)).FailsAsync("FIELD_INVALID")).Fields());
        Assert.Equal(["input"], (await RenderAsync(host, new() { Model = InferenceHost.Base }).FailsAsync("FIELD_INVALID")).Fields());
        Assert.Equal(["input"], (await RenderAsync(host, Rendering(InferenceHost.Base, large)).FailsAsync("FIELD_INVALID")).Fields());
        var twice = new RenderPromptRequest { Model = InferenceHost.Base, Conversation = Chat("a"), Response = "b" };
        Assert.Equal(["response"], (await RenderAsync(host, twice).FailsAsync("FIELD_INVALID")).Fields());
        var order = new RenderPromptRequest { Model = InferenceHost.Base, Conversation = new() { Turns = { new Conversation.Types.Turn { Role = "assistant", Text = "b" } } } };
        Assert.Equal(["conversation.turns[0]"], (await RenderAsync(host, order).FailsAsync("FIELD_INVALID")).Fields());
    }

    [Fact]
    [Covers("InferenceService/Tokenize", "RESOURCE_NOT_FOUND")]
    [Covers("InferenceService/Detokenize", "RESOURCE_NOT_FOUND")]
    [Covers("InferenceService/RenderPrompt", "RESOURCE_NOT_FOUND")]
    public async Task A_model_that_does_not_exist_is_not_found()
    {
        await using var host = await InferenceHost.StartAsync();
        await AllFailAsync(host, Nobody, "RESOURCE_NOT_FOUND");
    }

    [Fact]
    [Covers("InferenceService/Tokenize", "PEER_UNREACHABLE")]
    [Covers("InferenceService/Detokenize", "PEER_UNREACHABLE")]
    [Covers("InferenceService/RenderPrompt", "PEER_UNREACHABLE")]
    public async Task With_the_registry_away_nothing_new_is_answered()
    {
        await using var host = await InferenceHost.StartAsync();
        host.Registry.IsAway = true;
        await AllFailAsync(host, Nobody, "PEER_UNREACHABLE");
    }

    [Fact]
    [Covers("InferenceService/Tokenize", "MODEL_DOES_NOT_FIT")]
    [Covers("InferenceService/Detokenize", "MODEL_DOES_NOT_FIT")]
    [Covers("InferenceService/RenderPrompt", "MODEL_DOES_NOT_FIT")]
    public async Task A_model_larger_than_the_memory_allowed_is_refused()
    {
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:ModelBytes", "100000"));
        await AllFailAsync(host, InferenceHost.Base, "MODEL_DOES_NOT_FIT");
    }

    [Fact]
    [Covers("InferenceService/Tokenize", "ARTIFACT_CORRUPT")]
    [Covers("InferenceService/Detokenize", "ARTIFACT_CORRUPT")]
    [Covers("InferenceService/RenderPrompt", "ARTIFACT_CORRUPT")]
    public async Task Files_that_changed_on_the_disk_are_never_used()
    {
        await using var host = await InferenceHost.StartAsync();
        var sha256 = await host.PublishBaseAsync(InferenceHost.Base, seed: 1);
        using (var file = File.Open(Path.Combine(host.ArtifactFolder(sha256), "model.safetensors"), FileMode.Open))
        {
            file.Position = file.Length - 1;
            var last = file.ReadByte();
            file.Position = file.Length - 1;
            file.WriteByte((byte)(last ^ 1));
        }

        await AllFailAsync(host, InferenceHost.Base, "ARTIFACT_CORRUPT");
    }

    [Fact]
    [Covers("InferenceService/Tokenize", "QUEUE_FULL")]
    [Covers("InferenceService/Detokenize", "QUEUE_FULL")]
    [Covers("InferenceService/RenderPrompt", "QUEUE_FULL")]
    public async Task A_full_queue_is_told_at_once()
    {
        await using var host = await InferenceHost.StartWithModelsAsync(("Inference:MaxWaiting", "1"));
        await host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "load", maxTokens: 1));
        var turn = host.Turns.Enter(TestContext.Current.CancellationToken);
        var running = host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "first"));
        await Eventually.HoldsAsync(() => host.Engine.Counters.Running == 1, "the first runs");
        var waiting = host.GenerateAsync(Requests.Greedy(InferenceHost.Base, "second"));
        await Eventually.HoldsAsync(() => host.WaitingRequests == 1, "the second waits");

        await AllFailAsync(host, InferenceHost.Base, "QUEUE_FULL");
        turn.Dispose();

        await running;
        await waiting;
    }

    [Theory]
    [InlineData("frobnicate", "")]
    [InlineData("alpaca", "00")]
    [InlineData("llama3", "")]
    [InlineData("model", "")]
    [Covers("InferenceService/RenderPrompt", "PROMPT_FORMAT_MISSING")]
    [Covers("InferenceService/Generate", "PROMPT_FORMAT_MISSING")]
    [Covers("InferenceService/StreamGenerate", "PROMPT_FORMAT_MISSING")]
    [Covers("InferenceService/Score", "PROMPT_FORMAT_MISSING")]
    public async Task A_model_is_never_prompted_in_another_format_than_its_own(string format, string sha256)
    {
        await using var host = await InferenceHost.StartAsync();
        host.Registry.Put(Strange, await host.PublishBaseAsync(InferenceHost.Base, seed: 1), promptFormat: format, promptFormatSha256: sha256);
        var request = Requests.Greedy(Strange, "");
        request.Instruction = new Instruction { Instruction_ = "x" };
        var score = Requests.Score(Strange, ("a", "b"));
        score.Items[0].Instruction = request.Instruction;

        await RenderAsync(host, Rendering(Strange, "x")).FailsAsync("PROMPT_FORMAT_MISSING");
        await host.GenerateAsync(request).FailsAsync("PROMPT_FORMAT_MISSING");
        await host.StreamAsync(request).FailsAsync("PROMPT_FORMAT_MISSING");
        await host.ScoreAsync(score).FailsAsync("PROMPT_FORMAT_MISSING");
        Assert.NotEmpty((await TokenizeAsync(host, new() { Model = Strange, Text = "x" })).TokenIds);
    }

    private static async Task AllFailAsync(InferenceHost host, string model, string reason)
    {
        await TokenizeAsync(host, new() { Model = model, Text = "x" }).FailsAsync(reason);
        await DetokenizeAsync(host, [3], model).FailsAsync(reason);
        await RenderAsync(host, Rendering(model, "x")).FailsAsync(reason);
    }

    private static Conversation Chat(string text) => new() { Turns = { new Conversation.Types.Turn { Role = "user", Text = text } } };

    private static RenderPromptRequest Rendering(string model, string text) => new() { Model = model, Instruction = new Instruction { Instruction_ = text } };

    private static async Task<TokenizeResponse> TokenizeAsync(InferenceHost host, TokenizeRequest request) =>
        await host.Client.TokenizeAsync(request, cancellationToken: TestContext.Current.CancellationToken);

    private static async Task<string> DetokenizeAsync(InferenceHost host, IEnumerable<int> ids, string model = InferenceHost.Base) =>
        (await host.Client.DetokenizeAsync(new() { Model = model, TokenIds = { ids } }, cancellationToken: TestContext.Current.CancellationToken)).Text;

    private static async Task<RenderPromptResponse> RenderAsync(InferenceHost host, RenderPromptRequest request) =>
        await host.Client.RenderPromptAsync(request, cancellationToken: TestContext.Current.CancellationToken);
}
