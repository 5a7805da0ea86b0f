using InstructTune.Inference.Engine;
using InstructTune.Modeling.Generation;

namespace InstructTune.Unit.Tests.Inference;

public sealed class MailboxTests
{
    private static readonly CancellationToken _ct = TestContext.Current.CancellationToken;

    private readonly Mailbox _mailbox = new();

    [Fact]
    public async Task What_a_slow_reader_missed_is_one_update()
    {
        _mailbox.Put("a", 1, new GenerationFigures(1, default, default), null);
        _mailbox.Put("", 2, new GenerationFigures(2, default, default), null);
        _mailbox.Put("bc", 3, new GenerationFigures(3, default, default), new GenerationEnd(StopReason.Length, ""));

        var update = await _mailbox.TakeAsync(_ct);

        Assert.Equal("abc", update.Text);
        Assert.Equal([1, 2, 3], update.TokenIds);
        Assert.Equal(3, update.Figures.OutputTokens);
        Assert.Equal(StopReason.Length, update.End?.Reason);
    }

    [Fact]
    public async Task A_reader_that_waits_gets_the_next_update()
    {
        var taken = _mailbox.TakeAsync(_ct);
        Assert.False(taken.IsCompleted);

        _mailbox.Put("x", 7, default, null);

        Assert.Equal("x", (await taken).Text);
    }

    [Fact]
    public async Task Who_wants_the_whole_only_is_woken_once()
    {
        var whole = new Mailbox(tellsAll: false);
        var taken = whole.TakeAsync(_ct);
        whole.Put("a", 1, default, null);
        whole.Put("b", 2, default, null);
        Assert.False(taken.IsCompleted);

        whole.Put("c", 3, default, new GenerationEnd(StopReason.Length, ""));

        Assert.Equal("abc", (await taken).Text);
    }

    [Fact]
    public async Task What_is_kept_for_a_reader_who_does_not_read_is_bounded()
    {
        var text = new string('x', 1000);
        Assert.Throws<MailboxFullException>(() =>
        {
            for (var i = 0; i < Mailbox.MaxBytes; i++)
            {
                _mailbox.Put(text, i, default, null);
            }
        });

        Assert.InRange((await _mailbox.TakeAsync(_ct)).Text.Length * sizeof(char), Mailbox.MaxBytes / 2, Mailbox.MaxBytes);
        _mailbox.Put(text, 1, default, null);
        Assert.Equal(text, (await _mailbox.TakeAsync(_ct)).Text);
    }

    [Fact]
    public async Task A_failure_comes_after_everything_before_it()
    {
        _mailbox.Put("x", 7, default, null);
        _mailbox.Fail(new InvalidOperationException("broken"));

        Assert.Equal("x", (await _mailbox.TakeAsync(_ct)).Text);
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => _mailbox.TakeAsync(_ct));
        Assert.Equal("broken", exception.Message);
    }
}
